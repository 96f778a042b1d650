"""What Streamlit has no element for, as inline JavaScript components, and the pieces that several pages share."""
