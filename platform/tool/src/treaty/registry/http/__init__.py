"""The registry over HTTP: layers of the application, routes, answers, and the document that describes them."""
