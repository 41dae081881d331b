// The data folder: made private, its secret files written whole or not at all, one server at a time.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace dr {

/// Makes the folder and its parents when missing: only its owner may list it (0700; 0711 for root, whose private
/// Postgres runs as another user and must pass through). An existing folder keeps its mode. Fails: invalid when it
/// cannot be made, is no folder, or cannot be written.
result<void> make_data_dir(const std::filesystem::path& dir);

/// Writes a file of mode 0600 atomically and durably: readers see the old content or the new one, also after a power
/// cut. Fails: internal, invalid when only a person can help.
result<void> write_secret_file(const std::filesystem::path& file, std::string_view content);

/// Reads a whole file of at most max_bytes. Fails: not_found, invalid when it is larger or only a person can help,
/// internal.
result<std::string> read_small_file(const std::filesystem::path& file, std::size_t max_bytes = 64 * 1024);

/// An advisory lock on a file (made when missing, mode 0600), held until destruction or the process's end, however it
/// ends.
class file_lock {
public:
  /// Waits for the lock. Fails: internal, invalid when only a person can help.
  static result<file_lock> wait(const std::filesystem::path& file);
  /// Fails: version_conflict when another process holds it, internal.
  static result<file_lock> try_now(const std::filesystem::path& file);
  file_lock(file_lock&& other) noexcept;
  file_lock& operator=(file_lock&& other) noexcept;
  ~file_lock();
  int descriptor() const noexcept { return fd_; }

private:
  explicit file_lock(int fd) noexcept : fd_(fd) {}
  int fd_ = -1;
};

/// The pid file of the running server; its lock keeps a second server off the same data folder.
class pid_file {
public:
  /// Writes this process's id. Fails: version_conflict with the other's pid in the detail when a live process holds it.
  static result<pid_file> acquire(const std::filesystem::path& file);
  /// Puts this process's file in the place of a running server's that hands over to us: at every moment the path names
  /// one of the two. Fails: internal, invalid when only a person can help.
  static result<pid_file> replace(const std::filesystem::path& file);
  pid_file(pid_file&&) noexcept = default;
  pid_file& operator=(pid_file&&) = delete;
  /// The path is a successor's from now on: the file is not removed at the end.
  void leave() { file_.clear(); }
  /// Removes the file, then releases the lock.
  ~pid_file();

private:
  static result<pid_file> write(file_lock lock, const std::filesystem::path& file);
  pid_file(file_lock lock, std::filesystem::path file) : lock_(std::move(lock)), file_(std::move(file)) {}
  file_lock lock_;
  std::filesystem::path file_;
};

} // namespace dr
