"""Controls a graphical client: its widgets through the accessibility interface (AT-SPI), and calls over D-Bus.

Run by Debian's python3 with the client's DISPLAY and session bus. A line of JSON on standard input is a command, a line on standard
output its answer: {"value": ...} or {"error": "..."}.
"""

import json
import re
import sys

import dbus
import pyatspi


def walk(node, depth=0):
    """All widgets below a node, itself included, those that are shown alone."""
    if node is None or depth > 40:
        return
    yield node
    try:
        count = node.childCount
    except Exception:
        return
    for at in range(count):
        try:
            child = node.getChildAtIndex(at)
            if child is None:
                continue
            yield from walk(child, depth + 1)
        except Exception:
            # It is gone meanwhile.
            continue


def shown(node):
    try:
        return node.getState().contains(pyatspi.STATE_SHOWING)
    except Exception:
        return False


def windows(title):
    """The top-level windows whose title contains this."""
    desktop = pyatspi.Registry.getDesktop(0)
    for at in range(desktop.childCount):
        application = desktop.getChildAtIndex(at)
        if application is None:
            continue
        for number in range(application.childCount):
            window = application.getChildAtIndex(number)
            if window is not None and title in (window.name or ""):
                yield window


def text_of(node):
    try:
        text = node.queryText()
        return text.getText(0, text.characterCount)
    except Exception:
        return node.name or ""


def find(window="", role=None, name=None, nth=0, hidden=False, pattern=False):
    """The nth widget of this role and name (a regular expression, with `pattern`) in the windows of this title."""
    found = []
    for top in windows(window):
        for node in walk(top):
            try:
                if role and node.getRoleName() != role:
                    continue
                label = node.name or ""
                if name is not None and label != name and not (pattern and re.fullmatch(name, label, re.DOTALL)):
                    continue
                if hidden or shown(node):
                    found.append(node)
            except Exception:
                continue
    if not -len(found) <= nth < len(found):
        raise LookupError(f"no {role or 'widget'} {name!r} in a window {window!r}")
    return found[nth]


def click(**where):
    """The widget's first action: a button is pressed, a menu item chosen."""
    find(**where).queryAction().doAction(0)


def focus(**where):
    """What is typed goes there."""
    if not find(**where).queryComponent().grabFocus():
        raise LookupError(f"no focus for {where}")


def select(**where):
    """Select the row of a table that a cell is in."""
    cell = find(**where)
    table = cell.parent
    while "table" not in table.getRoleName() or "cell" in table.getRoleName():
        cell, table = table, table.parent
    rows = table.queryTable()
    rows.addRowSelection(rows.getRowAtIndex(cell.getIndexInParent()))


def choose(item, **where):
    """Choose an item of a combo box."""
    box = find(**where)
    for node in walk(box):
        if node.name == item and node.getRoleName() == "menu item":
            node.queryAction().doAction(0)
            return
    raise LookupError(f"no {item!r} in {where}")


def place(**where):
    """[x, y, width, height] on the screen."""
    box = find(**where).queryComponent().getExtents(pyatspi.DESKTOP_COORDS)
    return [box.x, box.y, box.width, box.height]


def put(text, **where):
    """Replaces the text of an entry."""
    find(**where).queryEditableText().setTextContents(text)


def read(**where):
    return text_of(find(**where))


def titles():
    return [window.name or "" for window in windows("")]


def tree(window="", hidden=False):
    """Everything shown, for who writes a driver and for reports."""
    lines = []

    def show(node, depth):
        try:
            if depth and not hidden and not shown(node):
                return
            lines.append("  " * depth + f"{node.getRoleName()} {node.name!r} {text_of(node)[:200]!r}")
            children = [node.getChildAtIndex(at) for at in range(node.childCount)]
        except Exception:
            # It is gone meanwhile.
            return
        for child in children:
            if child is not None and depth < 30:
                show(child, depth + 1)
    for top in windows(window):
        show(top, 0)
    return lines


def plain(value):
    """A value of D-Bus as one of Python's."""
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    return str(value)


def call(bus_name, path, interface, method, arguments=()):
    if not dbus.SessionBus().name_has_owner(bus_name):
        # Asking all the same would have the bus start another one.
        raise LookupError(f"nobody owns {bus_name}")
    proxy = dbus.SessionBus().get_object(bus_name, path)
    return plain(getattr(dbus.Interface(proxy, interface), method)(*arguments))


COMMANDS = {function.__name__: function for function in (click, focus, select, choose, place, put, read, titles, tree, call)}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"value": COMMANDS[request["do"]](**request.get("with", {}))}
        except Exception as problem:
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
