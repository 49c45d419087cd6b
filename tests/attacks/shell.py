"""Code for odoo_shell that tries to stay, to harm the server, or to keep a half.

``{mark}`` is a number of seconds that no other process sleeps. Each is run after
``{create}`` has made a partner, which must not be there in the end.
"""

from typing import NamedTuple


class Code(NamedTuple):
    """:param outcome: ``refused``: an error that says so; ``stopped``: at its deadline;
    ``told``: it ends as if nothing was; what it did is committed"""

    kind: str
    text: str
    outcome: str = "refused"


CODE = [
    *(
        Code("ends", text)
        for text in (
            "import os; os._exit(0)",
            "import os; os._exit(7)",
            "import os; os.abort()",
            "import os; os.kill(os.getpid(), 9)",
            "import os; os.killpg(0, 9)",
            "import os; os.kill(os.getppid(), 9)\n__import__('time').sleep(9)",
            "import os, signal; os.kill(os.getpid(), signal.SIGABRT)",
            "import sys; sys.exit()",
            "quit()",
            "raise GeneratorExit",
            "raise BaseException('x')",
            "class E(BaseException):\n    __str__ = None\nraise E",
            "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E",
            "import ctypes; ctypes.string_at(0)",
            "import faulthandler; faulthandler._sigsegv()",
            "f = lambda: f()\nf()",
            "import subprocess, os; subprocess.Popen(['setsid', 'sleep', '{mark}'])\n"
            "os.kill(os.getppid(), 9)\n__import__('time').sleep(9)",
            "import signal; signal.alarm(1)\nimport time; time.sleep(60)",
            "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\n"
            "while True: pass",
            "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
            "x = bytearray(2**31)",
            "import os; os.execv('/bin/sleep', ['sleep', '0'])",
            "import os; os.closerange(3, 1000)",
            "import builtins; builtins.len = None",
            "import os; os.closerange(0, 1000)",
        )
    ),
    *(
        Code("half", text)
        for text in (
            "env.cr.commit()",
            "cr.commit()",
            "self.env.cr.commit()",
            "self._cr.commit() if hasattr(self, '_cr') else cr.commit()",
            "cr.execute('COMMIT')",
            "cr.execute('commit /* */ ;')",
            "cr.execute('END; BEGIN')",
            "cr.execute('ROLLBACK; BEGIN'); env['res.partner'].create({'name': 'x'})",
            "cr.execute('COMMIT AND CHAIN')",
            "cr.execute(\"PREPARE TRANSACTION 'mcp'\")",
            "cr.close()",
            "cr.connection.close()",
            "cr.connection.rollback()",
            "cr.execute(b'COMMIT')",
            "from odoo.tools import SQL; cr.execute(SQL('COMMIT'))",
            "from psycopg2 import sql; cr.execute(sql.SQL('COMMIT'))",
            "from psycopg2 import sql; cr.execute(sql.Composed([sql.SQL('COMMIT')]))",
            "cr.execute('/* x */ COMMIT -- x')",
            "cr.execute('SELECT 1; SELECT 2; COMMIT; SELECT 3')",
            "cr.execute('ABORT WORK')",
            "cr.execute('DO $$ BEGIN COMMIT; END $$')",
            "env.cr.rollback(); 1 / 0",
            "env['ir.module.module'].search([], limit=1).button_immediate_upgrade()",
            "1 / 0",
            "env['res.partner'].create({'name': False})",
            "cr.execute('SELECT 1 / 0')",
            "assert False",
        )
    ),
    *(
        Code("forks", text)
        for text in (
            "import os; os.fork()",
            "import os; os.forkpty()",
            "import pty; pty.fork()",
            "import multiprocessing as m; m.get_context('fork').Process(target=print)"
            ".start()",
            "from concurrent.futures import ProcessPoolExecutor as P\n"
            "import multiprocessing as m\n"
            "P(mp_context=m.get_context('fork')).submit(abs, 1).result(5)",
        )
    ),
    *(
        Code("never ends", text, "stopped")
        for text in (
            "while True: pass",
            "while True:\n    try: 1 / 0\n    except BaseException: pass",
            "import time\nwhile True:\n    try: time.sleep(9)\n"
            "    except BaseException: pass",
            "import signal\n[signal.signal(s, signal.SIG_IGN) for s in range(1, 32) "
            "if s not in (9, 19, 32)]\nwhile True: pass",
            "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, "
            "signal.valid_signals())\nwhile True: pass",
            "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
            "import os; os.kill(os.getppid(), 19)\nwhile True: pass",
            "9 ** 9 ** 9",
            "sum(range(10 ** 13))",
            "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
            "sorted(range(10 ** 7), key=lambda x: sum(range(99)))",
            "[None for _ in iter(int, 1)]",
            "import threading\nthreading.Lock().acquire(); l = threading.Lock(); "
            "l.acquire(); l.acquire()",
            "__import__('threading').Event().wait()",
            "class X:\n    def __del__(self):\n        while True: pass\n"
            "x = X()\ndel x",
            "class X:\n    def __repr__(self):\n        while True: pass\nX()",
            "while True: print('x' * 65536)",
            "import os\nwhile True: os.write(2, b'x' * 65536)",
            "import subprocess; subprocess.run(['sleep', '{mark}'])",
            "import subprocess\n[subprocess.Popen(['setsid', 'sleep', '{mark}'], "
            "start_new_session=True) for _ in range(20)]\nwhile True: pass",
            "import subprocess; subprocess.Popen(['setsid', 'sh', '-c', 'trap \"\" "
            "TERM HUP; sleep {mark}'])\nimport time; time.sleep(60)",
            "env.cr.execute('SELECT pg_sleep(86400)')",
            "env.cr.execute('LOCK TABLE res_partner_category'); "
            "env.cr.execute('SELECT pg_sleep(86400)')",
        )
    ),
    *(
        Code("games", text, "told")
        for text in (
            "import atexit; atexit.register(lambda: open('/no/such', 'w'))",
            "import sys; sys.excepthook = None",
            "import sys; sys.stdout = sys.stderr = None",
            "import sys; sys.stdout.close()",
            "import os; os.close(1); os.close(2)",
            "import os; os.dup2(0, 1)",
            "import gc; gc.collect(); gc.set_threshold(1)",
            "import threading; threading.Thread(target=lambda: "
            "__import__('time').sleep(60)).start()",
            "import threading\nfor _ in range(3): threading.Thread(target=lambda: "
            "[None for _ in iter(int, 1) if 0], daemon=True).start()",
            "import subprocess; subprocess.Popen(['setsid', 'sleep', '{mark}'])",
            "import subprocess; subprocess.Popen('sleep {mark} & sleep {mark} &', "
            "shell=True)",
            "odoo.tools.config['db_name'] = 'gone'; odoo.tools.config['workers'] = 99",
            "import logging; logging.disable(); logging.shutdown()",
            "import os; os.chdir('/'); os.umask(0); os.environ.clear()",
            "import socket; socket.setdefaulttimeout(0.001)",
            "from odoo.addons.odoo_dev_mcp.models import guardrails as g\n"
            "g.guardrails = lambda: None; g._adopted.append(g.STRICTEST)",
            "from odoo.addons.odoo_dev_mcp.models.mcp_api_key import McpApiKey as K\n"
            "type(env['mcp.api.key'])._authenticate = None",
            "env.registry.clear_all_caches(); env.registry.models.clear()",
            "type(env['res.partner']).create = None",
        )
    ),
    *(
        Code("mangles", text)
        for text in (
            # what the fork tells its parent with, if it can be found
            "{told}tell(b'nonsense\\n')",
            "{told}tell(b'[\"cancel\", [1]]\\n')",
            "{told}tell(b'[\"__init__\", [1]]\\n')",
            "{told}tell(b'[\"check\", []]\\n[1]\\n')",
            "{told}tell(b'\\xff\\xfe\\n')",
            "{told}tell(b'[' * 10000 + b'\\n')",
            "{told}\nwhile True: os.write(told, b'x' * 65536)",
        )
    ),
]

TOLD = """\
import fcntl, os, stat, time

def is_told(name):
    # a pipe to write to, and not what is printed
    number = int(name)
    return (
        number > 2
        and stat.S_ISFIFO(os.fstat(number).st_mode)
        and fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
        and os.fstat(number).st_ino != os.fstat(1).st_ino
    )

def open_ones():
    for name in os.listdir('/proc/self/fd'):
        try:
            if is_told(name):
                yield int(name)
        except OSError:
            pass

[told] = open_ones()

def tell(data):
    os.write(told, data)
    time.sleep(9)

"""
"""Finds the pipe that results go through."""
