"""Views whose rows of trials are in memory say what the others say, at the moment at which they were asked first."""

from caviar.store import Store, Views, Writer
from caviar.store.read.kept_views import KeptViews

from ...small_stores import add_every_kind, attempt_row, configs, curve, make_plan


def test_they_say_what_views_say(tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    add_every_kind(store)
    with Views(store) as plain, KeptViews(store) as kept:
        for view in ("sweeps", "trials", "attempts", "configs", "curves"):
            answers = [views.execute(f"SELECT * FROM {view} ORDER BY ALL") for views in (plain, kept)]
            assert answers[0].description == answers[1].description
            assert str(answers[0].fetchall()) == str(answers[1].fetchall())


def test_they_show_one_moment_until_they_are_refreshed(tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    plan = make_plan("live", 3)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    count = "SELECT count(*) FROM trials WHERE state = 'COMPLETED'"
    with Writer(sweep, sweep.claim()) as writer, KeptViews(store, [sweep]) as kept:
        writer.add("configs", configs(plan, 3))
        for trial in range(3):
            writer.add("curves", curve(trial))
            writer.add("attempts", attempt_row(trial, "COMPLETED"))
            writer.flush()
            assert kept.execute(count).fetchall() == [(trial,)]
            kept.refresh()
            assert kept.execute(count).fetchall() == [(trial + 1,)]
