"""What a process prints, kept within bounds whatever it prints."""

import codecs


class Output:
    """The first and the last bytes of a stream; what is between is only counted.

    :param most: bytes that are kept
    """

    def __init__(self, most: int) -> None:
        self.half = max(1, most // 2)
        self.head = bytearray()
        self.tail = bytearray()
        self.left_out = 0

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        room = self.half - len(self.head)
        self.head += data[:room]
        self.tail += data[max(room, 0) :]
        if (over := len(self.tail) - self.half) > 0:
            self.left_out += over
            del self.tail[:over]

    def text(self) -> str:
        r"""Return what is kept as text; bytes that are no UTF-8 are shown as ``\xff``.

        >>> output = Output(8)
        >>> output.add(b"abcdefghijkl")
        >>> output.text()
        'abcd\n… [4 bytes left out] …\nijkl'
        """
        if not self.left_out:
            return bytes(self.head + self.tail).decode("utf-8", "backslashreplace")
        # a character that the cut went through counts as left out
        decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        head = decoder.decode(bytes(self.head))
        broken = len(decoder.getstate()[0])
        begun = next((i for i in range(3) if self.tail[i : i + 1] < b"\x80"), 0)
        begun = begun if all(0x80 <= byte < 0xC0 for byte in self.tail[:begun]) else 0
        tail = bytes(self.tail[begun:]).decode("utf-8", "backslashreplace")
        left_out = self.left_out + broken + begun
        return f"{head}\n… [{left_out} bytes left out] …\n{tail}"
