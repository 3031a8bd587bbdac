# groups_shipped.cmake - writes groups_shipped.h: data/maps/groups.csv as bytes, because a string literal has a
# limit. Run when the table changed.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(0x0a,)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUT} "/* groups_shipped.h - made by core/config/groups_shipped.cmake from data/maps/groups.csv. */
static const char GROUPS_SHIPPED[] = {
${bytes}};
")
