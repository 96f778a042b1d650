"""What Streamlit has no element for, as components in JavaScript, and the pieces that several pages share."""
