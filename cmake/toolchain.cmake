# Compiler settings shared by every target: the language, the warnings, the sanitizers, and the fast tools where present.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# One translation unit per few sources: the headers of CAF and Beast cost more than our code does.
option(DR_UNITY "Compile several sources of a library at once" ON)
if(DR_UNITY)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
  # g++ takes every included source for a header here, and its coroutine frames for foreign memory.
  add_compile_options(-Wno-subobject-linkage -Wno-mismatched-new-delete)
endif()

if(DR_SANITIZE)
  # With its own checks in between, g++ no longer sees that a variant holds what is moved out of it.
  add_compile_options(-Wno-maybe-uninitialized)
  add_compile_options(-fsanitize=${DR_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DR_SANITIZE})
  if(DR_SANITIZE MATCHES thread)
    # It does not see Asio's fences. What they order is ordered by Asio's locks as well, which it sees.
    add_compile_options(-Wno-tsan)
  endif()
endif()

# The include root is the project's top level, so that every include names its folder.
add_library(dr_options INTERFACE)
target_compile_options(dr_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
target_include_directories(dr_options INTERFACE "${PROJECT_SOURCE_DIR}")

# dr_library(name SOURCES… LINK…): one static library per folder.
function(dr_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC dr_options ${ARG_LINK})
endfunction()

# dr_program(name SOURCES… LINK…)
function(dr_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE dr_options ${ARG_LINK})
endfunction()
