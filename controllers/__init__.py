from . import audit_log_export, main
