"""Bringing a catalogue in from the browser: send a file or name a feed, match columns, look, confirm, watch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from knowledge.editing.import_jobs import BUSY, Job, Stage
from knowledge.editing.uploads import KINDS, LARGEST_UPLOAD, keep_upload, too_large
from knowledge.editor.sessions import Visit
from knowledge.editor.site import Site, see_other
from knowledge.errors import ImportRefused
from knowledge.exchange.mappings import FIELDS

PAGE: Final = 50
PARTS: Final = {
    "problems": "Problems",
    "added": "Added",
    "changed": "Changed",
    "kept": "Kept as edited here",
    "gone": "Gone",
    "drafts": "Drafts, and why",
}
NOT_HERE: Final = "That import is not here. It ended some time ago: what it took in is among the listings."


def show_imports(site: Site, visit: Visit) -> Response:
    """GET /import"""
    return _start_page(site, visit)


def begin_import(site: Site, visit: Visit) -> Response:
    """POST /import: a file, or an address."""
    sent, address = visit.form.get("file"), visit.said("address")
    has_file = isinstance(sent, UploadFile) and bool(sent.filename)
    try:
        if has_file == bool(address):
            raise ImportRefused("Choose a file or write an address: one of the two.")
        folder = site.imports.new_folder()
        given = address
        if isinstance(sent, UploadFile) and has_file:
            given = str(keep_upload(folder, sent.filename or "", sent.file))
        job = site.imports.add(
            folder, given, by=visit.editor, source=visit.said("source"), suggest_needs=bool(visit.said("needs"))
        )
    except ImportRefused as refusal:
        return _start_page(site, visit, 422, refused=str(refusal))
    return see_other(visit, "import", job=job.id)


def refuse_size(site: Site, visit: Visit) -> Response:
    """Too large, or without saying how large: nothing of it was read."""
    return _start_page(site, visit, 413, refused=too_large())


def show_import(site: Site, visit: Visit) -> Response:
    """GET /import/ID: whatever it is at."""
    job = site.imports.find(visit.path("job"))
    return _job_page(site, visit, job) if job else site.message(visit, NOT_HERE, 404)


def show_progress(site: Site, visit: Visit) -> Response:
    """GET /import/ID/progress: for the script of the page."""
    job = site.imports.find(visit.path("job"))
    if job is None:
        return JSONResponse({"stage": "", "words": NOT_HERE}, status_code=404)
    return JSONResponse({"stage": job.stage.value, "words": progress_of(job)})


def choose_columns(site: Site, visit: Visit) -> Response:
    """POST /import/ID/columns: a sheet, or which column means what."""
    job = site.imports.find(visit.path("job"))
    if job is None:
        return site.message(visit, NOT_HERE, 404)
    if sheet := visit.said("sheet"):
        site.imports.choose_sheet(job, sheet)
        return see_other(visit, "import", job=job.id)
    chosen = {name: visit.said(f"column-{name}") for name in FIELDS}
    try:
        site.imports.choose_columns(job, {name: column for name, column in chosen.items() if column})
    except ImportRefused as refusal:
        return _job_page(site, visit, job, 422, refused=str(refusal), chosen=chosen)
    return see_other(visit, "import", job=job.id)


def confirm_import(site: Site, visit: Visit) -> Response:
    """POST /import/ID: take it in, go on with what was stopped, or put it away."""
    job = site.imports.find(visit.path("job"))
    if job is None:
        return site.message(visit, NOT_HERE, 404)
    if visit.said("then") == "away":
        site.imports.put_away(job)
        return see_other(visit, "imports")
    if visit.said("then") == "on":
        site.imports.go_on(job)
        return see_other(visit, "import", job=job.id)
    try:
        publish, accept_gone = bool(visit.said("publish")), bool(visit.said("accept_gone"))
        site.imports.take(job, visit.editor, publish=publish, accept_gone=accept_gone)
    except ImportRefused as refusal:
        return _job_page(site, visit, job, 403, refused=str(refusal))
    return see_other(visit, "import", job=job.id)


def progress_of(job: Job) -> str:
    """One line about an import that is at work."""
    read = job.outcome.read + job.outcome.skipped + job.outcome.carried if job.outcome else 0
    if job.stage is Stage.READING:
        return "Reading the columns."
    doing = {Stage.LOOKING: "Looking", Stage.TAKING: "Taking it in"}.get(job.stage, "")
    if not doing:
        return ""
    return f"{doing}: {read:,} listings read so far." if read else f"{doing}: it has begun."


def _start_page(site: Site, visit: Visit, status: int = 200, refused: str = "") -> Response:
    jobs = [(job, site.name_of(job.by)) for job in site.imports.all()]
    words = {"address": visit.said("address"), "source": visit.said("source")} if status == 422 else {}
    return site.page(
        visit,
        "imports.html",
        status,
        refused=refused,
        jobs=jobs,
        kinds=",".join(KINDS),
        megabytes=LARGEST_UPLOAD // 1_000_000,
        typed={"address": "", "source": "", **words},
    )


def _job_page(site: Site, visit: Visit, job: Job, status: int = 200, **words: Any) -> Response:
    part = asked if (asked := visit.said("part")) in PARTS else ""
    counts = _counts(job)
    part = part or next((name for name in PARTS if counts[name]), "problems")
    page = max(1, int(said)) if (said := visit.said("page")[:6]).isdecimal() else 1
    rows = _rows(job, part)
    shown = {
        "job": job,
        "by": site.name_of(job.by),
        "busy": job.stage in BUSY,
        "progress": progress_of(job),
        "fields": tuple(FIELDS),
        "chosen": dict(job.columns.mapping) if job.columns else {},
        "parts": PARTS,
        "part": part,
        "counts": counts,
        "rows": rows[(page - 1) * PAGE : page * PAGE],
        "page": page,
        "pages": max(1, -(-len(rows) // PAGE)),
        "listed": len(rows),
        "why_not": site.imports.why_not(job, visit.editor, publish=False),
        "second": site.settings.second_person and visit.editor.login == job.by,
    }
    return site.page(visit, "import.html", status, **{**shown, **words})


def _rows(job: Job, part: str) -> Sequence[Any]:
    if job.outcome is None:
        return ()
    return job.outcome.problems if part == "problems" else job.outcome.names[part]


def _counts(job: Job) -> dict[str, int]:
    outcome = job.outcome
    if outcome is None:
        return dict.fromkeys(PARTS, 0)
    return {
        "problems": outcome.errors + outcome.warnings,
        "added": outcome.added,
        "changed": outcome.changed,
        "kept": len(outcome.names["kept"]),
        "gone": outcome.gone,
        "drafts": len(outcome.names["drafts"]),
    }
