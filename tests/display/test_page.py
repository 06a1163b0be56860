"""The page's file: its policy names each of its scripts, and its text is escaped."""

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser

from caviar.display.page import ECHARTS, PAGE, SCRIPTS, board_html, report_html
from caviar.results.report.columns import encode

HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'


class Elements(HTMLParser):
    """The elements of a page, each with its attributes and its text."""

    def __init__(self, html):
        super().__init__()
        self.all = []
        self.open = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.all.append([tag, dict(attrs), ""])
        self.open = True

    def handle_endtag(self, _tag):
        self.open = False

    def handle_data(self, data):
        if self.open:
            self.all[-1][2] += data

    def __call__(self, tag):
        return [(attrs, text) for name, attrs, text in self.all if name == tag]


def payload(name="a sweep"):
    return encode({"sweep": "1", "full": True, "documents": {"sweep": {"name": name}}}, {})


def digest(text):
    return f"sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}"


def policy(elements):
    (text,) = [attrs["content"] for attrs, _ in elements("meta") if "http-equiv" in attrs]
    return dict(part.split(" ", 1) for part in text.split("; "))


def test_the_policy_names_each_script_and_style_and_nothing_else():
    elements = Elements(report_html("a title", [payload()]))
    scripts = [text for attrs, text in elements("script") if "type" not in attrs]
    (echarts,) = [text for attrs, text in elements("script") if attrs.get("id") == "echarts"]
    code = gzip.decompress(base64.b64decode(echarts))
    assert code == ECHARTS.read_bytes()
    assert policy(elements) == {
        "default-src": "'none'",
        "script-src": " ".join(f"'{digest(text)}'" for text in (*(one.encode() for one in scripts), code)),
        "style-src": " ".join(f"'{digest(text.encode())}'" for _, text in elements("style")),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert policy(Elements(board_html("a title")))["connect-src"] == "'self'"


def test_a_report_holds_its_payloads_and_a_list_of_them():
    elements = Elements(report_html("a title", [payload("one"), payload("two")]))
    texts = {attrs["id"]: text for attrs, text in elements("script") if "id" in attrs}
    assert base64.b64decode(texts["sweep-1"]) == payload("two")
    assert [one["name"] for one in json.loads(texts["sweeps"])] == ["one", "two"]


def test_names_are_text_wherever_they_stand():
    html = report_html(HOSTILE, [payload(HOSTILE)])
    elements = Elements(html)
    assert elements("img") == []
    assert len(elements("script")) == 4  # the list, a payload, ECharts, and ours
    assert [text for _, text in elements("title")] == [HOSTILE]
    assert json.loads(elements("script")[0][1])[0]["name"] == HOSTILE


def test_the_page_asks_for_nothing():
    html = report_html("a title", [payload()])
    assert re.findall(r"""(?:src|href)=["'](?!#)[^"']*""", html) == []


def test_the_scripts_stay_small():
    """Lines of code: blank lines and comments do not count, or the limit would be kept by leaving out the reasons."""
    files = {name: (PAGE / name).read_text("utf-8").splitlines() for name in SCRIPTS}
    assert {name for name, lines in files.items() if len(lines) > 400 or max(map(len, lines)) > 120} == set()
    code = [line for lines in files.values() for line in map(str.strip, lines) if line]
    assert len([line for line in code if not line.startswith(("//", "/*", "*"))]) <= 1500


def test_the_scripts_make_no_markup_and_run_no_text():
    sources = {name: (PAGE / name).read_text("utf-8") for name in SCRIPTS}
    assert set(sources) == {path.name for path in PAGE.glob("*.js")}
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|<!--|</script"
    )
    assert {name: forbidden.findall(text) for name, text in sources.items() if forbidden.search(text)} == {}
    storage = {name for name, text in sources.items() for line in text.splitlines() if unguarded(line)}
    assert storage == set(), "a sandboxed frame refuses these: pass them to ifAllowed"


def unguarded(line):
    return re.search(r"(session|local)Storage|history\.\w+State|execCommand", line) and "ifAllowed" not in line


def test_the_vendored_file_is_the_one_that_is_recorded():
    record = json.loads((ECHARTS.parent / "VERSION.json").read_text("utf-8"))
    assert hashlib.sha256(ECHARTS.read_bytes()).hexdigest() == record["sha256"]
    assert record["version"].encode() in ECHARTS.read_bytes()
    assert {path.name for path in ECHARTS.parent.iterdir()} >= {"LICENSE", "NOTICE", "LICENSE-d3", "LICENSE-zrender"}
