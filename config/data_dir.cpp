#include "config/data_dir.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace dr {

namespace {

namespace fs = std::filesystem;

class descriptor {
public:
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }

private:
  int fd_;
};

/// `invalid` is for what stays so until a person changes it; anything else, as a disk without room, may pass.
error io_error(const std::string& what, const fs::path& file) {
  constexpr std::array lasting{EACCES, EPERM, EROFS, ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG, ENOENT};
  const bool lasts = std::find(lasting.begin(), lasting.end(), errno) != lasting.end();
  return fail(lasts ? errc::invalid : errc::internal, what + " " + file.string() + ": " + std::strerror(errno));
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const auto done = ::write(fd, content.data(), content.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

// A rename is durable only once the folder itself has reached the disk.
void sync_folder(const fs::path& dir) {
  descriptor fd{::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (fd) ::fsync(fd.get());
}

result<int> open_locked(const fs::path& file, int how) {
  // A holder may remove the file while we wait for it: then our lock is on a file nobody can find, and we begin again.
  for (;;) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return io_error("cannot open", file);
    while (::flock(fd, how) != 0) {
      if (errno == EINTR) continue;
      const bool taken = errno == EWOULDBLOCK;
      const auto why = taken ? fail(errc::version_conflict, file.string() + " is locked by another process")
                             : io_error("cannot lock", file);
      ::close(fd);
      return why;
    }
    struct stat ours {};
    struct stat named {};
    if (::fstat(fd, &ours) == 0 && ::stat(file.c_str(), &named) == 0 && ours.st_ino == named.st_ino &&
        ours.st_dev == named.st_dev)
      return fd;
    ::close(fd);
  }
}

} // namespace

result<void> make_data_dir(const fs::path& dir) {
  std::error_code ec;
  if (!fs::exists(dir, ec)) {
    if (dir.has_parent_path()) fs::create_directories(dir.parent_path(), ec);
    const mode_t mode = ::geteuid() == 0 ? 0711 : 0700;
    if (::mkdir(dir.c_str(), mode) != 0 && errno != EEXIST)
      return fail(errc::invalid, "cannot make the data folder " + dir.string() + ": " + std::strerror(errno));
    ::chmod(dir.c_str(), mode); // whatever the umask says
  }
  if (!fs::is_directory(dir, ec)) return fail(errc::invalid, "the data folder " + dir.string() + " is not a folder");
  if (::access(dir.c_str(), W_OK | X_OK) != 0)
    return fail(errc::invalid, "the data folder " + dir.string() + " cannot be written: " + std::strerror(errno));
  return {};
}

result<void> write_secret_file(const fs::path& file, std::string_view content) {
  const fs::path fresh = file.string() + ".new." + std::to_string(::getpid());
  ::unlink(fresh.c_str());
  {
    descriptor fd{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!fd) return io_error("cannot write", fresh);
    if (::fchmod(fd.get(), 0600) != 0 || !write_all(fd.get(), content) || ::fsync(fd.get()) != 0) {
      const auto why = io_error("cannot write", fresh);
      ::unlink(fresh.c_str());
      return why;
    }
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) {
    const auto why = io_error("cannot replace", file);
    ::unlink(fresh.c_str());
    return why;
  }
  sync_folder(file.has_parent_path() ? file.parent_path() : fs::path("."));
  return {};
}

result<std::string> read_small_file(const fs::path& file, std::size_t max_bytes) {
  descriptor fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd)
    return errno == ENOENT ? fail(errc::not_found, file.string() + " does not exist") : io_error("cannot read", file);
  std::string content;
  char chunk[4096];
  for (;;) {
    const auto got = ::read(fd.get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("cannot read", file);
    if (got == 0) return content;
    content.append(chunk, static_cast<std::size_t>(got));
    if (content.size() > max_bytes)
      return fail(errc::invalid, file.string() + " is larger than " + std::to_string(max_bytes) + " bytes");
  }
}

result<file_lock> file_lock::wait(const fs::path& file) {
  auto fd = open_locked(file, LOCK_EX);
  if (!fd) return fd.error();
  return file_lock{*fd};
}

result<file_lock> file_lock::try_now(const fs::path& file) {
  auto fd = open_locked(file, LOCK_EX | LOCK_NB);
  if (!fd) return fd.error();
  return file_lock{*fd};
}

file_lock::file_lock(file_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

file_lock& file_lock::operator=(file_lock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

file_lock::~file_lock() {
  if (fd_ >= 0) ::close(fd_);
}

result<pid_file> pid_file::acquire(const fs::path& file) {
  auto lock = file_lock::try_now(file);
  if (!lock) {
    if (lock.error().code != errc::version_conflict) return lock.error();
    auto other = read_small_file(file, 64);
    auto pid = other ? other->substr(0, other->find('\n')) : std::string("unknown");
    return fail(errc::version_conflict,
                "another server (pid " + pid + ") already runs on " + file.parent_path().string());
  }
  // Rewritten in place: a rename would leave the lock on a file that nobody can find any more.
  return write(std::move(*lock), file);
}

result<pid_file> pid_file::replace(const fs::path& file) {
  const fs::path fresh = file.string() + ".next";
  auto lock = file_lock::try_now(fresh);
  if (!lock) return lock.error();
  auto made = write(std::move(*lock), file);
  // Who waits for the old file's lock finds that the path names another file then, and looks at this one.
  if (made && ::rename(fresh.c_str(), file.c_str()) != 0) return io_error("cannot replace", file);
  return made;
}

result<pid_file> pid_file::write(file_lock lock, const fs::path& file) {
  const int fd = lock.descriptor();
  if (::ftruncate(fd, 0) != 0 || !write_all(fd, std::to_string(::getpid()) + "\n"))
    return io_error("cannot write", file);
  return pid_file{std::move(lock), file};
}

pid_file::~pid_file() {
  if (lock_.descriptor() >= 0 && !file_.empty()) ::unlink(file_.c_str());
}

} // namespace dr
