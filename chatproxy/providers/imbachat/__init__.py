"""ImbaChat: the questions of imbachat.com to a site, the widget's token, calls to its API.

Source: the vendor's page on its API, and its public plugin for OctoberCMS.
"""
