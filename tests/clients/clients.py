"""The drivers by name."""

from hexchat import HexChat
from irssi import Irssi
from mcabber import McAbber
from pidgin import Pidgin
from profanity import Profanity
from thunderbird import Thunderbird

DRIVERS = {driver.NAME: driver for driver in (Irssi, Profanity, McAbber, Pidgin, HexChat, Thunderbird)}
TERMINAL = [name for name, driver in DRIVERS.items() if not driver.GRAPHICAL]
GRAPHICAL = [name for name, driver in DRIVERS.items() if driver.GRAPHICAL]

# Clients that use libotr and have no driver, with the reason.
NOT_DRIVEN = {
    "Psi+": "it starts under Xvfb and loads its OTR plugin, but shows no widget by the accessibility interface there, and its "
            "interface for D-Bus has no messages; a driver would have to click at places on the screen",
    "BitlBee": "it has tests of its own, tests/bitlbee",
    "Kopete, KDE Telepathy": "they would need a desktop of KDE's, and are not tried",
}
