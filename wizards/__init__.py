from . import mcp_api_key_generate, mcp_api_key_show, mcp_client_connect
