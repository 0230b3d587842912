"""Stories of visitors, told in a real browser, to a site on this machine or to a deployed one."""
