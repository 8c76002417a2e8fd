"""An article as an editor writes it: one Markdown file that begins with YAML front matter.

    ---
    title: The library opens on Sundays
    date: 2017-11-09 18:30
    ---
    The doors stay open **until eight**, …

`read` makes an `ArticleFile` of one file, `find` lists the files below some paths. What a file says
wrongly is an `ArticleFileError`, one line that names the file, the line and the reason; what is only
doubtful is a warning of the same form. Whatever stands in a file, nothing else is raised, and what
comes out is safe to show: `html` as it is, the other fields as escaped text.
"""

from service.article_file.article import ArticleFile, CommentsMode, read
from service.article_file.folder import find
from service.article_file.picture import Picture
from service.article_file.remarks import ArticleFileError

__all__ = ["ArticleFile", "ArticleFileError", "CommentsMode", "Picture", "find", "read"]
