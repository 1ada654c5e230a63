"""Raises an exception whose class, name, text and traceback lie or raise.

Verdict: failed
"""

class Meta(type):
    __name__ = property(lambda cls: exit(0))
    __repr__ = __str__ = lambda cls: exit(0)


class Liar(BaseException, metaclass=Meta):
    __class__ = property(lambda self: AssertionError)
    __str__ = __repr__ = lambda self: exit(0)
    __traceback__ = property(lambda self: exit(0))
    __getattribute__ = lambda self, name: exit(0)


def rms_norm(x, weight, eps=1e-6):
    raise Liar
