"""Commands that try to outlive their call, to hide, to harm, or to learn.

``{mark}`` is a number of seconds that no other process sleeps, ``{victim}`` a process
that they are not to reach.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """:param ended: it ends by itself, before its timeout of a second or two"""

    kind: str
    text: str
    ended: bool = False


COMMANDS = [
    *(
        Command("orphans", text)
        for text in (
            "nohup sleep {mark} & sleep {mark}",
            "sleep {mark} & disown; sleep {mark}",
            "(sleep {mark} &) ; (sleep {mark} &) ; sleep {mark}",
            "setsid -f sleep {mark}; sleep {mark}",
            "setsid setsid setsid sleep {mark}; sleep {mark}",
            "sh -c 'setsid sh -c \"setsid sleep {mark} & exit\" & exit' & sleep {mark}",
            "trap '' HUP INT QUIT TERM TSTP TTIN TTOU USR1 USR2 PIPE; sleep {mark}",
            "trap 'sleep {mark} &' EXIT TERM; sleep {mark}",
            "exec sleep {mark}",
            "exec -a '[kworker/0:0]' sleep {mark}",
            "while :; do (setsid sleep {mark} &) ; sleep 0.05; done",
            "f() { test $1 -gt 0 && { f $(($1 - 1)) & f $(($1 - 1)) & }; "
            "sleep {mark}; }; f 6",
            "for i in $(seq 200); do sleep {mark} & done; wait",
            "yes | head -c 1000000000 | sleep {mark}",
            "mkfifo $PWD/x 2>/dev/null; sleep {mark} | sleep {mark} | sleep {mark}",
            "kill -STOP $$; sleep {mark}",
            "sleep {mark} & kill -STOP $!; sleep {mark}",
            "coproc sleep {mark}; sleep {mark}",
            'python3 -c "import os,time\nfor n in range(3):\n os.fork()\n os.setsid() '
            "if os.getsid(0)!=os.getpid() and os.getpgrp()!=os.getpid() else 0\n"
            "os.execvp('sleep',['sleep','{mark}'])\"",
            'python3 -c "import signal,subprocess,time\n'
            "[signal.signal(s,1) for s in range(1,32) if s not in (9,19)]\n"
            "subprocess.Popen(['sleep','{mark}'],start_new_session=True)\n"
            'time.sleep(60)"',
            'python3 -c "import ctypes,os\nctypes.CDLL(None).prctl(36,1,0,0,0)\n'
            "os.system('setsid sleep {mark} & sleep {mark}')\"",
            "python3 -c \"import ctypes,os\nctypes.CDLL(None).prctl(15,b'mcp) S 1 1')\n"
            "os.fork()\nos.setsid() if os.getpgrp()!=os.getpid() else 0\n"
            'import time; time.sleep({mark})"',
            "unshare -p -f sleep {mark}; sleep {mark}",
            "sleep {mark} >/dev/null 2>&1 </dev/null & sleep {mark}",
            "exec >&- 2>&- <&-; sleep {mark}",
            "exec 2>&1; exec >/dev/null; while :; do sleep {mark}; done",
        )
    ),
    *(
        Command("supervisor", text, True)
        for text in (
            "kill -9 $PPID; sleep {mark}",
            "setsid sleep {mark} & kill -9 $PPID; sleep {mark}",
            "for f in /proc/$PPID/fd/*; do echo 'exit nonsense' > $f; done "
            "2>/dev/null; echo done",
            "for f in /proc/$PPID/fd/*; do printf '\\377\\376\\npid {victim}\\n' > $f; "
            "done 2>/dev/null; kill -9 $PPID; sleep {mark}",
            "for f in /proc/$PPID/fd/*; do printf 'pid {victim}\\nerror x\\n' > $f; "
            "done 2>/dev/null; kill -9 $PPID; sleep {mark}",
            "for f in /proc/$PPID/fd/*; do timeout 0.2 head -c 1000000 /dev/zero > $f; "
            "done 2>/dev/null; echo done",
        )
    ),
    *(
        Command("output", text, True)
        for text in (
            "head -c 30000000 /dev/zero",
            "head -c 30000000 /dev/urandom",
            "head -c 30000000 /dev/zero >&2",
            "yes | head -c 30000000",
            "printf '\\033]0;title\\007\\033[2J\\033[8m\\r\\b\\177\\000'",
            "printf '%0.s\\n' $(seq 100000)",
            "printf '\\360\\237\\230'",
            "python3 -c \"print('\\ud800'.encode('utf-8','surrogatepass'))\"",
        )
    ),
    *(
        Command("starting", text, True)
        for text in (
            "",
            " ",
            "\n",
            "\t\t",
            "exit 300",
            "exit -1",
            "kill -9 $$",
            "kill -SEGV $$",
            "ulimit -v 1; ls",
            "ulimit -t 1; while :; do :; done",
            "/no/such/program",
            "/etc/passwd",
            "cd /no/such/folder",
            "'",
            '"',
            "$(",
            "`",
            "#",
            "\\",
            "echo a\0b",
            "\r\necho x\r\n",
            "exec /dev/null",
            "systemd-run --scope sleep {mark}",
            "echo 'sleep {mark}' | at now",
            "echo 'sleep {mark}' | batch",
        )
    ),
]

LEARNS = {
    "descriptors": "ls -l /proc/self/fd | grep -v total | grep -Ev ' (0|1|2|3) -> '",
    "its shell's descriptors": "ls -l /proc/$$/fd | grep -E 'socket|log|anon_inode'",
    "input": "cat; cat <&0; test -t 0 && echo terminal",
    "terminal": "(echo x > /dev/tty) 2>/dev/null && echo terminal",
    "job control": "ps -o tty= -p $$ | grep -v '?'",
    "blocked signals": "grep -E 'Sig(Blk|Ign)' /proc/self/status | grep -v '\\b0*$'",
    "environment": "env | grep -iE 'passw|secret|token|odoo_rc|openerp' ",
}
"""What each of them prints: nothing."""
