"""ImbaChat: what imbachat.com asks a site, the widget's token, and the way to its API.

Source: the vendor's page on its API, and its public plugin for OctoberCMS.
"""
