# The page of results, the table for the README, and the comparison of two runs.
#
#   results    what a file of results holds; every wrong file has its words
#   figures    medians, spreads and ratios of it
#   cast       who is drawn, in which colour and with which mark
#   scale      from values to places on an axis
#   markup     elements, escaped
#   plot       axes and lines
#   bars       bars
#   panels     which plots there are
#   tables     the numbers below a plot
#   targets    what corten promises, and whether it holds
#   words      what the page says in sentences
#   page       all of that on one page, with page.css
#   markdown   the table for the README
#   noise      which differences between two files are more than chance
#
# SPDX-License-Identifier: MIT
