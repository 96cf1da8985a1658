"""The rules of the JUnit schema that most readers share (junit-10.xsd of Jenkins' xunit plugin), written as a table.

Elements with the children they may have, in this order, and attributes: those with a `!` must be there.
"""

import re
from xml.etree.ElementTree import Element

COUNT, TIME, STAMP = r"\d+", r"\d+(\.\d+)?", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
ANY = r"(?s).*"

CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out", "system-err"],
    "properties": ["property"],
    "testcase": ["skipped", "error", "failure", "system-out", "system-err"],
}
ATTRIBUTES: dict[str, dict[str, str]] = {
    "testsuites": {"name": ANY, "time": TIME, "tests": COUNT, "failures": COUNT, "disabled": COUNT, "errors": COUNT},
    "testsuite": {"name!": ANY, "tests!": COUNT, "failures": COUNT, "errors": COUNT, "time": TIME, "disabled": COUNT,
                  "skipped": COUNT, "timestamp": STAMP, "hostname": ANY, "id": ANY, "package": ANY},
    "property": {"name!": ANY, "value!": ANY},
    "testcase": {"name!": ANY, "classname!": ANY, "assertions": ANY, "time": TIME, "status": ANY},
    "skipped": {"type": ANY, "message": ANY},
    "error": {"type": ANY, "message": ANY},
    "failure": {"type": ANY, "message": ANY},
}  # fmt: skip


def assert_junit(element: Element) -> None:
    """Hold an element, and all inside it, to the schema."""
    allowed = {name.removesuffix("!"): form for name, form in ATTRIBUTES.get(element.tag, {}).items()}
    needed = {name[:-1] for name in ATTRIBUTES.get(element.tag, {}) if name.endswith("!")}
    assert needed <= set(element.attrib) <= set(allowed), f"{element.tag}: {element.attrib}"
    for name, value in element.attrib.items():
        assert re.fullmatch(allowed[name], value), f"{element.tag}.{name} is {value!r}"
    order = CHILDREN.get(element.tag, [])
    places = [order.index(child.tag) for child in element]
    assert places == sorted(places), f"{element.tag}: its children stand in another order"
    assert order or not len(element)
    for child in element:
        assert_junit(child)
