"""A page of the app held open the way a browser does, without a browser: it reads all that comes, and asks for more."""

import asyncio
import contextlib
import json
from collections import deque

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState


class PageClient:
    """One open tab. `redraws` counts the parts of the page that were drawn anew, `received` the bytes that came.

    Args:
        address: the server's, http://...
        page: the page's name in its URL.
        query: what comes after the question mark in its URL.
    """

    def __init__(self, address, page, query):
        self.address = address.replace("http", "ws", 1) + "/_stcore/stream"
        self.page, self.query = page, query
        self.redraws = self.received = 0
        self._script = ""
        self._clocks = {}
        # A browser names the large messages that it still holds, so that they need not come again.
        self._held = deque(maxlen=2)

    async def stay(self):
        """Opens the page and keeps it open until cancelled."""
        # Like a browser's, and uncompressed as Streamlit serves it: `address` is on this machine.
        async with websockets.connect(
            self.address, subprotocols=["streamlit"], max_size=None, compression=None
        ) as self._socket:
            try:
                await self._ask()
                async for data in self._socket:
                    self.received += len(data)
                    self._take(ForwardMsg.FromString(data))
            finally:
                self._stop_clocks()

    def _take(self, message):
        fragments = list(message.metadata.run.fragment_ids)
        kind = message.WhichOneof("type")
        if message.metadata.cacheable and message.hash not in self._held:
            self._held.append(message.hash)
        if kind == "new_session":
            self._script = message.new_session.page_script_hash
            if not fragments:
                self._stop_clocks()
        elif kind == "script_finished":
            self.redraws += 1
        elif kind == "auto_rerun":
            # What `st.fragment(run_every=...)` makes a browser do.
            clock = message.auto_rerun
            self._start_clock(clock.fragment_id, self._ask_every(clock.interval, clock.fragment_id))
        elif message.delta.new_element.bidi_component.component_name == "refreshing":
            self._start_clock("refreshing", self._ask_once(message.delta))

    def _start_clock(self, name, ticking):
        if name in self._clocks:
            self._clocks[name].cancel()
        self._clocks[name] = asyncio.create_task(ticking)

    def _stop_clocks(self):
        for clock in self._clocks.values():
            clock.cancel()
        self._clocks.clear()

    async def _ask_every(self, seconds, fragment):
        while True:
            await asyncio.sleep(seconds)
            await self._ask(fragment, is_auto_rerun=True)

    async def _ask_once(self, delta):
        """What pages/parts/refreshing.js does in a tab that is looked at."""
        component = delta.new_element.bidi_component
        await asyncio.sleep(json.loads(component.json)["seconds"])
        trigger = WidgetState(
            id=f"$$STREAMLIT_INTERNAL_KEY_{component.id}__events",
            json_trigger_value=json.dumps([{"event": "due", "value": True}]),
        )
        await self._ask(delta.fragment_id, widget_states={"widgets": [trigger]})

    async def _ask(self, fragment="", **more):
        message = BackMsg(rerun_script=more)
        request = message.rerun_script
        request.query_string, request.fragment_id = self.query, fragment
        if self._script:
            request.page_script_hash = self._script
        else:
            request.page_name = self.page
        request.cached_message_hashes.extend(self._held)
        request.context_info.timezone, request.context_info.locale = "UTC", "en-GB"
        with contextlib.suppress(websockets.ConnectionClosed):
            await self._socket.send(message.SerializeToString())
