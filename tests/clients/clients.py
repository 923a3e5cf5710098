"""The drivers by name."""

from hexchat import HexChat
from irssi import Irssi
from mcabber import McAbber
from pidgin import Pidgin
from profanity import Profanity
from psi import Psi
from thunderbird import Thunderbird

DRIVERS = {driver.NAME: driver for driver in (Irssi, Profanity, McAbber, Pidgin, HexChat, Psi, Thunderbird)}
TERMINAL = [name for name, driver in DRIVERS.items() if not driver.GRAPHICAL]
GRAPHICAL = [name for name, driver in DRIVERS.items() if driver.GRAPHICAL]

# Clients that use libotr and have no driver, with the reason.
NOT_DRIVEN = {
    "BitlBee": "it has tests of its own, tests/bitlbee, also on libpurple (bitlbee-libpurple)",
    "KDE Telepathy": "its ktp-proxy wants a desktop of KDE's; it is bound to this library, as the table of packages says",
    "Kopete, spectrum2": "Debian 12 has neither",
}
