"""Reports over HTTP, for admins."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from mall.analytics.report_texts import as_csv, as_page
from mall.analytics.reports import REPORTS
from mall.analytics.warehouse import Warehouse
from mall.errors import NotFound
from mall.web import AtDesk, Who

routes = APIRouter(prefix="/api/v1")
Name = Annotated[str, Path(max_length=50)]


@routes.get("/reports/{name}.{form}")
async def report(name: Name, form: Literal["csv", "json"], who: Who, request: Request) -> Response:
    """One report as CSV or JSON; another name answers 404 with all names."""
    who.require_admin()
    if name not in REPORTS:
        raise NotFound(f"There is no such report; there are {', '.join(REPORTS)}.")
    columns, rows = await _warehouse(request).ask(REPORTS[name])
    if form == "csv":
        return PlainTextResponse(as_csv((columns, rows)), media_type="text/csv; charset=utf-8")
    body: dict[str, Any] = {"name": name, "columns": columns, "rows": rows}
    return JSONResponse(body)


@routes.get("/report")
async def page(who: Who, desk: AtDesk, request: Request) -> HTMLResponse:
    """All reports on one page."""
    who.require_admin()
    warehouse = _warehouse(request)
    answers = [(each.title, await warehouse.ask(each)) for each in REPORTS.values()]
    return HTMLResponse(as_page(answers, at=f"{desk.now():%Y-%m-%d %H:%M:%S} UTC"))


def _warehouse(request: Request) -> Warehouse:
    warehouse: Warehouse = request.app.state.warehouse
    return warehouse
