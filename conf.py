"""Written by book/configure.py from _config.yml, for Sphinx without jupyter-book."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "book"))  # the extensions of this book

author = 'vaeimpute contributors'
autodoc_default_options = {'no-value': True}
autodoc_typehints = 'none'
autosummary_generate = False
bibtex_bibfiles = ['book/references.bib']
bibtex_default_style = 'unsrt'
bibtex_reference_style = 'label'
comments_config = {'hypothesis': False, 'utterances': False}
copyright = '2026'
default_role = 'autolink'
exclude_patterns = ['**.ipynb_checkpoints', '.DS_Store', 'Thumbs.db', '_build']
extensions = ['myst_nb',
 'notfound.extension',
 'sphinx.ext.autodoc',
 'sphinx.ext.autosummary',
 'sphinx.ext.napoleon',
 'sphinx.ext.viewcode',
 'sphinx_book_theme',
 'sphinx_copybutton',
 'sphinx_design',
 'sphinx_exercise',
 'sphinx_external_toc',
 'sphinx_togglebutton',
 'sphinxcontrib.bibtex',
 'sphinxext.opengraph',
 'cells',
 'glossary_links',
 'site_address',
 'sphinx_multitoc_numbering']
external_toc_exclude_missing = True
html_baseurl = ''
html_context = {'default_mode': 'auto'}
html_css_files = ['style.css']
html_extra_path = ['_extra']
html_favicon = 'book/_static/favicon.svg'
html_logo = ''
html_sourcelink_suffix = ''
html_static_path = ['book/_static', 'book/static']
html_theme = 'sphinx_book_theme'
html_theme_options = {'analytics': {'google_analytics_id': '',
               'plausible_analytics_domain': '',
               'plausible_analytics_url': 'https://plausible.io/js/script.js'},
 'announcement': '',
 'extra_footer': '',
 'home_page_in_toc': True,
 'launch_buttons': {'binderhub_url': 'https://mybinder.org',
                    'colab_url': 'https://colab.research.google.com',
                    'deepnote_url': '',
                    'jupyterhub_url': '',
                    'notebook_interface': 'jupyterlab',
                    'thebe': False},
 'max_navbar_depth': 1,
 'navbar_persistent': [],
 'path_to_docs': '',
 'repository_branch': 'main',
 'repository_url': 'https://github.com/OWNER/vaeimpute',
 'search_bar_text': 'Search this book...',
 'show_toc_level': 2,
 'use_edit_page_button': True,
 'use_issues_button': True,
 'use_repository_button': True}
html_title = 'Genomic data imputation with variational autoencoders'
language = 'en'
latex_engine = 'pdflatex'
mathjax_path = '../mathjax/tex-mml-chtml.js'
myst_enable_extensions = ['amsmath', 'colon_fence', 'deflist', 'dollarmath', 'substitution']
myst_url_schemes = ['mailto', 'http', 'https']
napoleon_google_docstring = False
napoleon_use_ivar = True
nb_execution_allow_errors = False
nb_execution_cache_path = ''
nb_execution_excludepatterns = []
nb_execution_in_temp = False
nb_execution_mode = 'off'
nb_execution_timeout = 30
nb_output_stderr = 'remove'
nitpick_ignore_regex = [['py:.*', '.*']]
numfig = True
numfig_format = {'figure': 'Figure %s', 'table': 'Table %s'}
numfig_secnum_depth = 1
ogp_image = '_static/answer.png'
ogp_image_alt = False
ogp_social_cards = {'enable': False}
project = 'vaeimpute'
pygments_style = 'sphinx'
suppress_warnings = ['ref.python']
use_jupyterbook_latex = False
use_multitoc_numbering = True
