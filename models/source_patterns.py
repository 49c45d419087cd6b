"""What in the source of an addon wants a look, and what the series of Odoo changed."""

import re
from typing import NamedTuple


class Pattern(NamedTuple):
    """What a line of the source may say, and why one should look at it.

    :param kinds: extensions of the files that are searched
    """

    title: str
    pattern: re.Pattern
    kinds: tuple[str, ...] = ("py",)


LOOK_AT = (
    Pattern("sudo()", re.compile(r"\.sudo\(\)")),
    Pattern("SQL of its own", re.compile(r"\bcr\.execute\(|\bexecute_query\(")),
    Pattern("evaluates code", re.compile(r"\b(?:safe_eval|eval|exec)\(")),
    Pattern("route without login", re.compile(r"auth\s*=\s*[\"'](?:public|none)[\"']")),
    Pattern("route without CSRF protection", re.compile(r"csrf\s*=\s*False")),
    Pattern("commits or rolls back", re.compile(r"\bcr\.(?:commit|rollback)\(")),
    Pattern("runs programs", re.compile(r"\bsubprocess\.|\bos\.(?:system|popen)\(")),
    Pattern("swallows errors", re.compile(r"except(?:\s+Exception)?\s*:")),
    Pattern("asks the network", re.compile(r"\brequests\.\w+\(|\burlopen\(")),
    Pattern(
        "HTML that is not escaped",
        re.compile(r"\bMarkup\(|\bt-raw\s*="),
        ("py", "xml"),
    ),
)

CHANGED = {
    18: (
        Pattern("<tree>: is <list>", re.compile(r"<tree\b|\btree,form"), ("xml", "py")),
        Pattern(
            "attrs/states: invisible=, readonly=, required= take expressions (17.0)",
            re.compile(r"\battrs\s*=\s*[\"']\{|\bstates\s*=\s*\"\w"),
            ("xml",),
        ),
        Pattern("name_get(): is _compute_display_name", re.compile(r"\bname_get\(")),
        Pattern(
            "check_access_rights()/check_access_rule(): are check_access()",
            re.compile(r"\bcheck_access_(?:rights|rule)\(|_filter_access_rules"),
        ),
        Pattern(
            "user_has_groups(): is env.user.has_group()", re.compile("user_has_gr")
        ),
        Pattern(
            "numbercall/doall of ir.cron: are gone",
            re.compile(r"name=[\"'](?:numbercall|doall)[\"']"),
            ("xml",),
        ),
    ),
    19: (
        Pattern(
            "_sql_constraints: are models.Constraint; the old form is ignored",
            re.compile(r"\b_sql_constraints\b"),
        ),
        Pattern(
            "groups_id: is group_ids",
            re.compile(r"\bgroups_id\b"),
            ("py", "xml"),
        ),
        Pattern(
            "category_id of res.groups: is privilege_id",
            re.compile(r"name=[\"']category_id[\"']\s+ref=[\"']\w*\.?module_category"),
            ("xml",),
        ),
        Pattern("odoo.osv: is odoo.fields.Domain", re.compile(r"\bodoo\.osv\b")),
        Pattern(
            "_cr, _uid, _context: are env.cr, env.uid, env.context",
            re.compile(r"\bself\._(?:cr|uid|context)\b"),
        ),
        Pattern("read_group(): is _read_group()", re.compile(r"(?<!_)\bread_group\(")),
        Pattern(
            'route type "json": is "jsonrpc"',
            re.compile(r"type\s*=\s*[\"']json[\"']"),
        ),
        Pattern(
            "<group expand= string=> in a search view: is refused",
            re.compile(r"<group\s[^>]*\bexpand\s*="),
            ("xml",),
        ),
        Pattern(
            "page_account_security: is page_security",
            re.compile(r"\bpage_account_security\b"),
            ("xml",),
        ),
    ),
}
"""By series: what it has done away with, or does no more as before."""

GONE_IN_19 = """
account_edi_ubl_cii_tax_extension auth_totp_mail_enforce hr_contract
hr_holidays_contract hr_work_entry_contract hw_drivers hw_escpos hw_posbox_homepage
l10n_ec_website_sale l10n_es_modelo130 l10n_id_efaktur l10n_in_edi_ewaybill
l10n_in_gstin_status l10n_in_purchase l10n_in_withholding l10n_in_withholding_payment
l10n_it_edi_ndd l10n_it_edi_website_sale l10n_it_edi_withholding l10n_mx_hr
l10n_my_edi_extended l10n_pe_website_sale membership payment_razorpay_oauth
pos_epson_printer pos_paytm pos_self_order_epson_printer pos_six pos_viva_wallet
product_images sale_async_emails web_editor website_event_jitsi website_event_meet
website_event_meet_quiz website_jitsi website_membership website_payment_authorize
website_twitter
"""
GONE = {19: frozenset(GONE_IN_19.split())}
"""By series: modules of the community edition of the one before that are no more,
merged into others or renamed."""


def changed(since: int, until: int) -> tuple[Pattern, ...]:
    """Return what the major series after ``since`` up to ``until`` have changed."""
    return tuple(
        row for major in range(since + 1, until + 1) for row in CHANGED.get(major, ())
    )


def gone(since: int, until: int) -> frozenset[str]:
    """Return the modules that the series after ``since`` up to ``until`` lack."""
    return frozenset().union(*(GONE.get(n, ()) for n in range(since + 1, until + 1)))
