"""Paths for read_file, write_file and odoo://files/…, from inside the folder ``{in}``.

Only ``{in}`` may be reached. Beside it are ``{in}_evil``, ``{in}.evil`` and ``{out}``,
each with a file ``secret``; what is in ``{in}`` the runner makes from :data:`INSIDE`.
"""

from typing import NamedTuple


class Path(NamedTuple):
    """:param told: what the refusal names"""

    kind: str
    text: str
    told: str = ""


INSIDE = {
    "to_file": "{out}/secret",
    "to_folder": "{out}",
    "to_evil": "{in}_evil/secret",
    "to_root": "/",
    "to_parent": "..",
    "to_far": "../../../../../../../../../../etc/passwd",
    "to_link": "to_file",
    "to_missing": "{out}/new",
    "to_proc": "/proc/self/environ",
    "to_self_root": "/proc/self/root",
    "to_cwd": "/proc/self/cwd",
    "to_fd": "/proc/self/fd",
    "to_stdin": "/dev/stdin",
    "to_zero": "/dev/zero",
    "to_tty": "/dev/tty",
    "to_memory": "/dev/shm",
    "to_kernel": "/sys/kernel/uevent_helper",
    "to_itself": "to_itself",
    "to_circle_a": "to_circle_b",
    "to_circle_b": "to_circle_a",
}
"""Links, by their target."""

PATHS = [
    *(
        Path("parents", text, "'..'")
        for text in (
            "{in}/..",
            "{in}/../{name}_evil/secret",
            "{in}/a/../../{name}_evil/secret",
            "{in}/./../{name}_evil/secret",
            "{in}//..//{name}_evil//secret",
            "{in}/to_folder/../secret",
            "/..{in}/../secret",
            "/../../..{out}/secret",
            "{in}/file/../file",
            "{in}/..\n/x",
        )[:-1]
    ),
    *(
        Path("siblings", text, "outside")
        for text in (
            "{in}_evil/secret",
            "{in}.evil/secret",
            "{in}_evil",
            "{in}-",
            "{in} /secret",
            "{in}\\..\\secret",
            "{in}…/secret",
            "{in}\u2024\u2024/secret",
            "{in}\u200b/secret",
            "{out}/secret",
            "/etc/passwd",
            "//etc/passwd",
            "///etc///passwd",
            "/./etc/./passwd",
            "/etc/passwd/",
            "/",
            "//",
            "/.",
            "/root/.ssh/authorized_keys",
            "/tmp/x",
            "/\uff45tc/passwd",
        )
    ),
    *(
        Path("links", f"{{in}}/{text}", "outside")
        for text in (
            "to_file",
            "to_folder/secret",
            "to_folder/new",
            "to_evil",
            "to_root/etc/passwd",
            "to_root{out}/secret",
            "to_parent/secret",
            "to_far",
            "to_link",
            "to_missing",
            "to_self_root/etc/passwd",
            "to_self_root{out}/secret",
            "to_cwd/secret",
        )
    ),
    *(
        Path("kernel", text)
        for text in (
            "/proc/self/environ",
            "/proc/self/mem",
            "/proc/self/fd/0",
            "/proc/self/fd/1",
            "/proc/self/root{out}/secret",
            "/proc/self/cwd/secret",
            "/proc/self/exe",
            "/proc/self/task/self/environ",
            "/proc/thread-self/environ",
            "/proc/1/environ",
            "/proc/1/root{out}/secret",
            "/proc/sys/kernel/core_pattern",
            "/proc/sysrq-trigger",
            "/proc/kcore",
            "//proc//self//environ",
            "/./proc/self/environ",
            "/proc",
            "/dev/fd/0",
            "/dev/fd/3",
            "/dev/stdin",
            "/dev/mem",
            "/dev/null",
            "/dev/zero",
            "/dev/urandom",
            "/dev/tcp/127.0.0.1/8069",
            "/dev/shm/mcp_attack",
            "/dev/pts/0",
            "/sys/kernel/uevent_helper",
            "/sys/power/state",
            "{in}/to_proc",
            "{in}/to_fd/0",
            "{in}/to_stdin",
            "{in}/to_zero",
            "{in}/to_tty",
            "{in}/to_memory/mcp_attack",
            "{in}/to_kernel",
            "{in}/to_self_root/proc/self/environ",
        )
    ),
    *(
        Path("links in circles", f"{{in}}/{text}")
        for text in ("to_itself", "to_circle_a", "to_circle_a/x")
    ),
    *(
        Path("no path", text)
        for text in (
            "",
            " ",
            ".",
            "..",
            "secret",
            "./secret",
            "../{name}_evil/secret",
            "~/secret",
            "~root/secret",
            "$HOME/secret",
            "file:///etc/passwd",
            "file://localhost/etc/passwd",
            "\\\\server\\share",
            "C:\\secret",
            "\\etc\\passwd",
            " /etc/passwd",
            "\t/etc/passwd",
            "\ufeff/etc/passwd",
            "\uff0fetc/passwd",
            "\u2215etc\u2215passwd",
            "%2fetc%2fpasswd",
            "|id",
            "-",
            "{in}/file\0",
            "{in}/file\0.txt",
            "\0{in}/file",
            "{in}\0/../secret",
            "/etc/passwd\0{in}/file",
            "{in}/" + "a" * 256,
            "{in}/" + "ä" * 128,
            "{in}/" + "a/" * 4096,
            "{in}" + "/." * 100000 + "/" + "a" * 300,
        )
    ),
    *(
        Path("no file", f"{{in}}/{text}")
        for text in ("", "folder", "folder/", "folder/.", "pipe", "socket", "file/x")
    ),
]
"""Each is refused, to read and to write."""

SPELLED = {
    "{in}/FILE": "{in}/FILE",
    "{in}/file.": "{in}/file.",
    "{in}/file ": "{in}/file ",
    "{in}/...": "{in}/...",
    "{in}/..a": "{in}/..a",
    "{in}/a..b": "{in}/a..b",
    "{in}/%2e%2e": "{in}/%2e%2e",
    "{in}/\uff0e\uff0e": "{in}/\uff0e\uff0e",
    "{in}/..\\file": "{in}/..\\file",
    "{in}/a\u0308": "{in}/a\u0308",
    "{in}/\u00e4": "{in}/\u00e4",
    "{in}/\u202etxt": "{in}/\u202etxt",
    "{in}/a\nb": "{in}/a\nb",
    "{in}/-rf": "{in}/-rf",
    "{in}/$(id)": "{in}/$(id)",
    "{in}/`id`": "{in}/`id`",
    "{in}/;id": "{in}/;id",
    "{in}/*": "{in}/*",
    "{in}/file::$DATA": "{in}/file::$DATA",
    "{in}/con": "{in}/con",
    "{in}//x///y": "{in}/x/y",
    "{in}/./z/.": "{in}/z",
    "{in}/" + "a" * 255: "{in}/" + "a" * 255,
}
"""Where a file is written that is asked for so: in the folder, by no other name."""
