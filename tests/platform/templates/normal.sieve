# Spam goes where users expect it.
require "fileinto";
if header :contains "X-Spam-Flag" "YES" {
  fileinto "Junk";
}
