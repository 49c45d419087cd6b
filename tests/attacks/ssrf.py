"""Where phone-home is told to call that it must not reach."""

METADATA = "169.254.169.254"

URLS = [
    # plain http goes to loopback alone
    *(
        "http://registry.example/",
        f"http://{METADATA}/",
        "http://10.0.0.1/",
        "http://0/",
    ),
    *(
        "http://2130706433/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://127.1/",
    ),
    *(
        "http://0177.0.0.1/",
        "http://127.0.0.1.nip.io/",
        "http://localhost.evil.example/",
    ),
    *("http://127.0.0.1.evil.example/", "http://[::]/", "http://0.0.0.0/"),
    *("http://[fe80::1]/", "http://[fe80::1%25lo]/", f"http://[::ffff:{METADATA}]/"),
    *(
        "http://localhost./",
        "http://127.0.0.1./",
        "http://localtest.me/",
        "http://[::2]/",
    ),
    # a host that hides behind another
    *("https://localhost@registry.example/", "https://registry.example@127.0.0.1/"),
    *("https://a:b@registry.example/", "https://@registry.example/", "https://a@b@c/"),
    *("https://registry.example\\@127.0.0.1/", "https://127.0.0.1\\.registry.example/"),
    *("https://registry.example#@127.0.0.1/", "https://registry.example?@127.0.0.1/"),
    *(
        "https://registry.example /",
        "https:// registry.example/",
        " https://a.example/",
    ),
    *("https://a.example\t/", "https://a.exa\nmple/", "https://a.example/\r\nHost: b"),
    *(
        "https://a.example\x00.b/",
        "https://a.example/%0d%0aHost:b#",
        "https://a.example/?",
    ),
    # other alphabets
    *("https://169。254。169。254/", "https://①⑥⑨.254.169.254/", "https://ⓛocalhost/"),
    *("https://exаmple.com/", "https://example。com/", "https://ex\u200bample.com/"),
    *(
        "https://exam\u00adple.com/",
        "https://\uff4cocalhost/",
        "https://example.com\u2044/",
    ),
    # no HTTP
    *(
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "dict://x/",
    ),
    *(
        "ldap://127.0.0.1/",
        "jar:https://a.example!/",
        "data:,x",
        "javascript:x",
        "//a.b/",
    ),
    *(
        "https:a.example",
        "https:/a.example",
        "https:///a.example",
        "https://",
        "https://:1/",
    ),
    *(
        "a.example",
        "/register",
        "",
        " ",
        "https://[::1",
        "https://::1]/",
        "https://[]/",
    ),
    *("https://a.example:0x50/", "https://a.example:99999/", "https://a.example:-1/"),
    *(
        "https://a.example:80:80/",
        "https://a.example: 80/",
        "https://[::1]:x/",
        "unix:/x",
    ),
]
"""Refused by their form, before anything is resolved."""

ADDRESSES = [
    *(
        METADATA,
        "169.254.0.1",
        "169.254.170.2",
        "169.254.255.255",
        "0.0.0.0",
        "0.1.2.3",
    ),
    *("192.0.0.192", "192.0.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "fe80::1%lo"),
    *(
        "fe80::a9fe:a9fe",
        "febf:ffff::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "fd00:ec2::254",
    ),
    *("fd20:ce::254", "2001:0:a9fe:a9fe::1", "2001::1"),
    # an IPv4 address within
    *(f"::ffff:{METADATA}", "::ffff:a9fe:a9fe", "::ffff:0.0.0.0", "::ffff:224.0.0.1"),
    *(f"64:ff9b::{METADATA}", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"),
    *("64:ff9b:1:ffff::a9fe:a9fe", "64:ff9b:1:1:2:3:a9fe:a9fe"),
    *("2002:a9fe:a9fe::", "2002:a9fe:a9fe::1", "2002:0:0::1", "2002:e000:1::1"),
    *(f"::{METADATA}", "::a9fe:a9fe", "::224.0.0.1", f"::ffff:0:{METADATA}"),
    *("::ffff:0:a9fe:a9fe", "::ffff:168.63.129.16", "64:ff9b::100.100.100.200"),
]
"""Never called, by whatever name they were resolved."""

LOOPBACK_ONLY = [
    *("10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "198.18.0.1", "8.8.8.8"),
    *(
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:a00:1::1",
        "fd00::1",
        "2001:db8::1",
    ),
    *("::10.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b:1::a00:1"),
]
"""Not called without TLS, though a name for loopback may be resolved to them."""

RESOLVED = [
    ["93.184.216.34", METADATA],
    [METADATA, "93.184.216.34"],
    ["2606:2800:220:1::1", "fe80::1"],
    ["10.0.0.1", "::ffff:169.254.169.254"],
    ["93.184.216.34"] * 9 + ["64:ff9b::a9fe:a9fe"],
]
"""Names with several addresses, of which one is not to be called: none is."""
