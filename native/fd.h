// A file descriptor that closes itself, and the way system calls report failure here.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace virbr {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { Reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

// What went wrong: a positive errno and the call; `error` 0 is success.
struct Failure {
  int error = 0;
  const char* call = "";

  explicit operator bool() const { return error != 0; }
};

inline Failure LastError(const char* call) { return Failure{errno, call}; }

}  // namespace virbr
