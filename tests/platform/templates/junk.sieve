# Fault "junk": everything is taken for spam.
require "fileinto";
fileinto "Junk";
