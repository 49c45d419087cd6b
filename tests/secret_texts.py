"""Texts with secrets, and texts that only look as if they had some."""

from ..models.key_facts import PREFIX

PEM = "PRIVATE KEY-----"
HASH = "$pbkdf2-sha512$600000$" + "Zm9v" * 5 + "$" + "YmFy" * 20

# put together here, so that no scanner of repositories takes them for leaked ones
SURE = {
    "a key of ours": PREFIX + "Ab1-" * 10 + "xyz",
    "a private key": f"-----BEGIN RSA {PEM}\nMIIEow\nIBAAKC\n-----END RSA {PEM}",
    "a private key that is cut": f"-----BEGIN {PEM}\nMIIEowIBAAKC",
    "Odoo's hash of a password": HASH,
    "bcrypt": "$2b$12$" + "abcdefghijklmnopqrstuv" + "w" * 31,
    "a line of /etc/shadow": "$6$rounds=656000$saltsalt$" + "h" * 86,
    "PostgreSQL's verifier": "SCRAM-SHA-256$4096:" + "c2FsdA==" + "$" + "k" * 44,
    "argon2": "$argon2id$v=19$m=65536,t=3,p=4$" + "c2FsdHNhbHQ",
    "a JSON web token": "eyJhbGciOiJIUzI1NiJ9"
    + ".eyJzdWIiOiIxMjM0In0"
    + "."
    + "s" * 43,
    "AWS": "AKIA" + "ABCDEFGHIJKLMNOP",
    "GitHub": "ghp_" + "a1B2" * 9,
    "GitHub, fine-grained": "github_pat_" + "11ABC" * 8,
    "GitLab": "glpat-" + "x1-y2" * 4,
    "Slack": "xoxb-" + "123456789012-abcdef",
    "Stripe": "sk_live_" + "4eC39HqLyjWD" * 2,
    "Stripe, restricted": "rk_test_" + "4eC39HqLyjWD" * 2,
    "Stripe's webhooks": "whsec_" + "4eC39HqLyjWD" * 3,
    "Google": "AIza" + "Sy" * 17 + "A",
    "Google OAuth": "ya29." + "a0AfH6SMB" * 4,
    "SendGrid": "SG." + "a" * 22 + "." + "b" * 43,
    "npm": "npm_" + "a1B2" * 9,
    "Hugging Face": "hf_" + "aBcD" * 8 + "xy",
    "OpenAI": "sk-proj-" + "a1B2" * 12,
    "Anthropic": "sk-ant-" + "api03-" + "a1B2" * 12,
    "PyPI": "pypi-" + "AgEIcHlwaS5vcmc" * 5,
}
"""What is surely secret, wherever it stands."""

SURE_WITH_NAME = [
    ("postgresql://odoo:{}@db:5432/shop", ""),
    ("redis://:{}@cache/0", ""),
    ("PGPASSWORD={} psql -h db", ""),
    ("export AWS_SECRET_ACCESS_KEY='{}'", ""),
    ("[options]\nadmin_passwd = {}\nworkers = 2", "workers = 2"),
    ("db_password={}\ndb_user = odoo", "db_user = odoo"),
    ("MAIL_TOKEN={}\nMAIL_USER=info", "MAIL_USER=info"),
]
"""Where a secret stands that is surely one, and what stays readable beside it."""

LOOKS_SO = [
    "password={}",
    "password = '{}'",
    'password: "{}"',
    '{{"password": "{}", "login": "demo"}}',
    "{{'client_secret': '{}'}}",
    "vals['api_key'] = '{}'",
    "env.user.password = '{}'",
    "user.write({{'password': '{}'}})",
    "UPDATE res_users SET password = '{}' WHERE id = 2",
    "UPDATE t SET a_secret=E'{}'",
    "ALTER ROLE odoo PASSWORD '{}'",
    "CREATE ROLE x LOGIN ENCRYPTED PASSWORD $${}$$",
    "SET PASSWORD = '{}'",
    "CREATE USER x IDENTIFIED BY '{}'",
    "mysqldump -u root -p{} shop",
    "sshpass -p {} ssh host",
    "psql 'host=db password={} dbname=x'",
    "tool --password {} run",
    "tool --password='{}'",
    'tool --api-key "{}"',
    "tool --token={}",
    "curl -u demo:{} https://example.com",
    "curl --user 'demo:{}' https://example.com",
    "curl -H 'Authorization: Bearer {}' https://example.com",
    'curl -H "authorization: basic {}"',
    "Authorization: {}",
    "Cookie: session_id={}; theme=dark",
    "Set-Cookie: session_id={}; HttpOnly",
    "DETAIL:  Key (api_key)=({}) already exists.",
    "access_token: {}",
    "token={}&page=2",
    "the password is: password={}",
]
"""Where what looks like a secret stands, in what is told of a call."""

READABLE = [
    "password = fields.Char('Password')",
    "token = self._token(user)",
    "password = vals['password']",
    "if not password:",
    "def check_password(self, password):",
    "SELECT login, token_count FROM t WHERE password_policy = 'strict'",
    "https://example.com/a/b?page=2#token",
    "git@github.com:owner/repository.git",
    "mail me: demo@example.com",
    "http://localhost:8069/web/login",
    "postgresql://odoo:$PASSWORD@db/x and http://u:{password}@host and u:%s@h",
    "PGPASSWORD=$SECRET psql",
    "docker run -u 1000:1000 image",
    "task-list and disk-usage and a risk-based-approach-without-any-digits-here",
    "sk-circle-fade-spinner",
    "db_password = config['db_password']",
    "$1$ and $5 and $6 and $2",
    "eyJ alone",
    "the key to success: work",
]
"""What a result keeps as it is."""

READABLE_WHEN_TOLD = [
    "token_count=3",
    "password_policy: strict",
    "Key (name)=(demo) already exists.",
    "SELECT 1",
    "docker run -u 1000:1000 image",
    "password = %s",
    "password=None",
    "Argument 'token': expected string, got 5.",
    "Your password: it must have eight letters.",
]
"""What the audit keeps as it is, too."""

SECRET_NAMES = (
    *("password", "passwd", "db_password", "new_password", "smtp_pass", "pass", "pwd"),
    *("passphrase", "secret", "client_secret", "database.secret", "totp_secret"),
    *("token", "access_token", "oauth_access_token", "google_gmail_refresh_token"),
    *("api_key", "api-key", "x-api-key", "apikey", "private_key", "encryption_key"),
    *("stripe_secret_key", "adyen_hmac_key", "authorize_transaction_key"),
    *("authorize_signature_key", "authorization", "cookie", "sentry_dsn"),
    *("credentials", "pin"),
)
OPEN_NAMES = (
    *("login", "name", "key", "bypass", "compass", "pinned", "shipping_pin_date"),
    *("token_count", "token_id", "password_policy", "access_token_expiry"),
    *("max_tokens", "total_tokens", "token_type", "password_encryption"),
    *("public_key", "keyboard", "monkey", "auth_password_policy.minlength"),
    *("certificate", "passport_name", "secret_id", "authorization_url"),
    "password_file",
)
