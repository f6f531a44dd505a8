"""A package of the user, as the driver has it."""

__version__ = "2.0"


def discount(price: int) -> int:
    return price // 2
