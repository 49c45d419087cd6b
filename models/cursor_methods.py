"""Other methods for one cursor, for a while."""

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def replaced(cr, **methods: Callable) -> Iterator[None]:
    """Have a cursor use these methods within, whoever calls it.

    :param cr: an Odoo cursor; what it had by this before, it has again afterwards
    """
    own = vars(cr)
    before = {name: own[name] for name in methods if name in own}
    own.update(methods)
    try:
        yield
    finally:
        for name in methods:
            del own[name]
        own.update(before)
