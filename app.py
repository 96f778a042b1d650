"""The SSAD lab: `streamlit run app.py`."""

import streamlit as st

st.set_page_config(page_title="SSAD lab", page_icon=":material/biotech:", layout="wide")
st.html("<style>.stMainBlockContainer{padding-top:4.5rem}</style>")  # half of what Streamlit leaves free
st.navigation(
    [
        st.Page("pages/lab.py", title="Lab", icon=":material/science:", default=True),
        st.Page("pages/runs.py", title="Runs", icon=":material/folder_open:"),
        st.Page("pages/evidence.py", title="Does it always help?", icon=":material/balance:"),
    ],
    position="top",
).run()
