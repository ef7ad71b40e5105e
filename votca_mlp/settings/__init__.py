"""Reading settings.xml."""
