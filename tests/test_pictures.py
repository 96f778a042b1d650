"""Files that the browser fetches, in a script of Streamlit's."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st
    from streamlit import runtime

    from pages.components.pictures import RECENT, served

    def next_run() -> list[str]:
        """What is there when the next run of the script has begun and another session's has ended."""
        files.clear_session_refs()
        files.remove_orphaned_files()
        return sorted(files._file_metadata)

    files = runtime.get_instance().media_file_mgr
    address = served(b"first", "here")
    assert served(b"first", "there") == address
    st.write(len(next_run()))
    for k in range(RECENT):
        served(b"other %d" % k, f"place {k}")
    there = next_run()
    st.write(len(there))
    st.write(any(name in address for name in there))


def test_a_file_outlives_the_run_that_asked_for_it_until_many_others_have_come() -> None:
    app = AppTest.from_function(script).run()
    assert not app.exception
    assert [element.value for element in app.markdown] == ["`1`", "`100`", "`False`"]
