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
}
