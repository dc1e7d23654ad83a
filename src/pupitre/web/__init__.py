"""Django support for pages: the shell, components, fragments, error pages, and the small middlewares every page passes."""
