"""The page: a camera or a video, its pictures with their faces, and how fast that goes.

Made of Gradio's component for HTML of one's own, which calls `look` for one picture after another
(https://www.gradio.app/guides/custom-HTML-components). Streaming of its `gradio.Image` writes every
answer to disk, has several pictures on their way, and does not tell of which one an answer is.
Importing this needs the extra ``[live]``.
"""

import base64
import sys
from pathlib import Path
from typing import Any

import gradio
from starlette.middleware import Middleware

from common.live.session import Sessions
from common.media.image_codec import decode_image, encode_image

_FOLDER = Path(__file__).parent
_QUALITY = 80
# Fonts, scripts and whatever else a page could ask of others: nothing.
_POLICY = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"


def serve(title: str, sessions: Sessions, host: str, port: int) -> None:
    """Serve the page until Ctrl-C."""
    page = served(title, sessions, host, port)
    sys.stdout.write(f"{page.local_url} shows {title}; Ctrl-C ends it\n")
    sys.stdout.flush()
    page.block_thread()


def served(title: str, sessions: Sessions, host: str, port: int) -> Any:
    """Return the page while a thread serves it, until it is closed."""
    page = live_page(title, sessions)
    page.launch(
        server_name=host,
        server_port=port,
        app_kwargs={"middleware": [Middleware(_OwnContent)]},
        footer_links=[],
        prevent_thread_lock=True,
        quiet=True,
        # What the environment could ask for, or Gradio by itself.
        share=False,
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
    )
    return page


def live_page(title: str, sessions: Sessions) -> Any:
    """Return a page that shows what sessions answer."""

    def look(asked: dict[str, Any]) -> dict[str, str]:
        return _answer(sessions, **asked)

    def arrive(request: gradio.Request) -> dict[str, str]:
        sessions.begin(str(request.session_hash))
        return {"session": str(request.session_hash)}

    def leave(request: gradio.Request) -> None:
        sessions.end(str(request.session_hash))

    html, css, js = ((_FOLDER / f"view.{kind}").read_text() for kind in ("html", "css", "js"))
    with gradio.Blocks(title=title, analytics_enabled=False) as page:
        gradio.Markdown(f"## {title}")
        view = gradio.HTML(
            html_template=html, css_template=css, js_on_load=js, server_functions=[look]
        )
        page.load(arrive, None, view, show_progress="hidden")
        page.unload(leave)
    return page


def _answer(sessions: Sessions, session: str, picture: str, is_first: bool) -> dict[str, str]:
    """Return a picture, coded as a page has it, with its faces, and how many these are."""
    image = decode_image(base64.b64decode(picture.partition(",")[2]))
    if image is None:
        return {"error": "what was sent is no picture"}
    answer = sessions.answer(session, image, is_first=is_first)
    if answer is None:
        return {"error": "the connection was lost; load the page again"}
    faces, drawn = answer
    coded = base64.b64encode(encode_image(drawn, "jpeg", _QUALITY)).decode()
    said = f"{len(faces)} face{'' if len(faces) == 1 else 's'}"
    return {"picture": f"data:image/jpeg;base64,{coded}", "said": said}


class _OwnContent:
    """Tells browsers to load nothing from elsewhere."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"content-security-policy", _POLICY)]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_with_policy)
