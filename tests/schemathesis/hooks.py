"""What schemathesis cannot know from the document."""

import schemathesis
