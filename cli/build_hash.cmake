# build_hash.cmake - writes build_hash.h: one hash over the names and contents of the source tree, so
# that a result says which program made it. Run at every build; the header changes only with the hash.
file(GLOB_RECURSE sources RELATIVE ${SOURCE}
  ${SOURCE}/core/*.[ch] ${SOURCE}/core/*.def ${SOURCE}/broker_sim/*.[ch] ${SOURCE}/chaos/*.[ch]
  ${SOURCE}/chaos/*.def ${SOURCE}/replay/*.[ch] ${SOURCE}/reports/*.[ch] ${SOURCE}/scenarios/*.[ch]
  ${SOURCE}/cli/*.[ch] ${SOURCE}/data/maps/*.csv ${SOURCE}/CMakeLists.txt)
list(SORT sources COMPARE STRING)
set(all "")
foreach(file IN LISTS sources)
  file(SHA256 ${SOURCE}/${file} hash)
  string(APPEND all "${file} ${hash}\n")
endforeach()
string(SHA256 whole "${all}")
string(SUBSTRING ${whole} 0 16 short)
set(text "/* build_hash.h - made by cli/build_hash.cmake. */\n#define SEATRIAL_BUILD_HASH \"${short}\"\n")
set(old "")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUT} "${text}")
endif()
