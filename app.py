"""The SSAD lab: `streamlit run app.py`."""

import streamlit as st

# An image with a patch cut out. A browser fetches Streamlit's own icons for a tab from a font server, which it may not reach.
ICON = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
    "<rect width='16' height='16' rx='3' fill='%230072B2'/><rect x='6' y='5' width='7' height='7' fill='white'/></svg>"
)
st.set_page_config(page_title="SSAD lab", page_icon=ICON, layout="wide")
st.html(
    # Half of what Streamlit leaves free. And what is about to be replaced dims at once, after a while, not in a fade, which
    # takes a core from the computation that is waited for where the browser has no GPU. In the narrow sidebar "Press Enter to
    # apply" lay over the number that is typed. Words in the primary colour, on which white can be read, or in a category's
    # are mixed with black or white, as the theme is: by itself none reads well on both. Links showed no focus. Options and
    # links that Streamlit would cut on a narrow page take more lines. With the room that Streamlit leaves beside menus, six
    # pixels too many on a page of 1,024, one was hidden under "3 more".
    "<style>.stMainBlockContainer{padding-top:4.5rem} [data-stale=true]{transition:opacity 0s .5s !important} "
    ".st-key-question p{font-size:1.5rem;line-height:1.35} .stSidebar [data-testid=InputInstructions]{display:none} "
    ":is(.stButtonGroup [data-selected=true],[data-testid=stSliderThumbValue],.st-key-question span) :is(p,strong)"
    "{color:color-mix(in srgb,currentColor 70%,CanvasText)} "
    ".stButtonGroup>div{flex-wrap:wrap} .stPageLink p{white-space:normal} "
    "body :is(a,[data-testid=stTopNavSection]):focus-visible{outline:2px solid;outline-offset:-2px} "
    "body :is([data-testid=stTopNavLink],[data-testid=stTopNavSection]){padding-inline:.35rem}</style>"
)
# What a session's address said, before there is anything to click: who went on to another page at once lost it.
st.session_state.setdefault("address", st.query_params.to_dict())
st.navigation(
    {
        "": [
            st.Page("pages/lab.py", title="Lab", icon=":material/science:", default=True),
            st.Page("pages/gallery.py", title="Gallery", icon=":material/grid_view:"),
            st.Page("pages/what_if.py", title="What if?", icon=":material/tune:"),
            st.Page("pages/runs.py", title="Runs", icon=":material/folder_open:"),
        ],
        "Compare": [
            st.Page("pages/reconstructions.py", title="Reconstructions", icon=":material/image_search:"),
            st.Page("pages/histograms.py", title="Histograms", icon=":material/bar_chart:"),
            st.Page("pages/embeddings.py", title="Embeddings", icon=":material/scatter_plot:"),
            st.Page("pages/alignment.py", title="Alignment (MMD)", icon=":material/join_inner:"),
            st.Page("pages/error_bias.py", title="Error bias", icon=":material/compare_arrows:"),
        ],
        "Evidence": [
            st.Page("pages/evidence.py", title="Does it always help?", icon=":material/balance:"),
            st.Page("pages/testbed.py", title="Over all classes", icon=":material/select_all:"),
            st.Page("pages/settings.py", title="Over settings", icon=":material/settings_suggest:"),
        ],
    },
    position="top",
).run()
