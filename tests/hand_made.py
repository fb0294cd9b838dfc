"""A client of the app that is no browser, and sends whatever it is told to."""

import contextlib
import socket
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect

ANSWER_SECONDS = 60
_DRAWN_AGAIN = ForwardMsg.FINISHED_EARLY_FOR_RERUN


@contextlib.contextmanager
def hand_made_tab(address, page="", query="", host=None, **headers):
    """Opens a page over a websocket, for as long as the context lasts; gives its HandMadeTab.

    Args:
        address: the server's, http://...
        page: the page's name in its URL.
        query: what comes after the question mark in its URL.
        host: what the request calls the server, where that is not its address.
        headers: of the request that opens the websocket.
    """
    server = urlsplit(address)
    with (
        socket.create_connection((server.hostname, server.port)) as connection,
        connect(
            f"ws://{host or server.netloc}/_stcore/stream",
            sock=connection,
            subprotocols=["streamlit"],
            additional_headers=headers,
            max_size=None,
            compression=None,
            proxy=None,
        ) as stream,
    ):
        tab = HandMadeTab(stream, page, query)
        tab.send()
        yield tab


class HandMadeTab:
    """One open page. `elements` are those that came so far, newest last."""

    def __init__(self, stream, page, query):
        self._stream, self._page, self._query = stream, page, query
        self.elements = []

    def send(self, *widgets):
        """Runs the page with these widgets' states, each a dict of a WidgetState's fields; returns when it is drawn."""
        message = BackMsg()
        message.rerun_script.query_string, message.rerun_script.page_name = self._query, self._page
        message.rerun_script.widget_states.widgets.extend(WidgetState(**widget) for widget in widgets)
        message.rerun_script.context_info.timezone, message.rerun_script.context_info.locale = "UTC", "en-GB"
        self._stream.send(message.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(self._stream.recv(ANSWER_SECONDS))
            self.elements.append(answer.delta.new_element)
            if answer.WhichOneof("type") == "script_finished" and answer.script_finished != _DRAWN_AGAIN:
                return

    def ids(self, kind):
        """Label -> widget id, of the elements of one kind, such as "button"."""
        found = [getattr(element, kind) for element in self.elements if element.WhichOneof("type") == kind]
        return {widget.label: widget.id for widget in found}

    def texts(self, kind):
        """What the elements of one kind say, such as "alert"."""
        return [getattr(element, kind).body for element in self.elements if element.WhichOneof("type") == kind]
