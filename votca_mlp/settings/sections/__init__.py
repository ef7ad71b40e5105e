"""The sections of a settings.xml, each tag declared once."""
