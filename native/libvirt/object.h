// References to libvirt's objects. Whoever holds an Object (a JavaScript handle, a call under way) keeps it alive; the last
// one to let go has it freed in a worker, since freeing may talk to the daemon.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "library.h"
#include "workers.h"

namespace virbr::libvirt {

class Handle;

enum class Kind { kConnection, kDomain, kNetwork, kNetworkPort, kInterface, kNwfilter, kNwfilterBinding };

// As HandleKind of binding/libvirt.ts.
const char* KindName(Kind kind);

// What each type of pointer is, and which function gives its reference back.
template <class P>
struct Reference;
#define VIRBR_REFERENCE(type, kind_name)          \
  template <>                                     \
  struct Reference<type##Ptr> {                   \
    static constexpr Kind kind = Kind::kind_name; \
  }
VIRBR_REFERENCE(virDomain, kDomain);
VIRBR_REFERENCE(virNetwork, kNetwork);
VIRBR_REFERENCE(virNetworkPort, kNetworkPort);
VIRBR_REFERENCE(virInterface, kInterface);
VIRBR_REFERENCE(virNWFilter, kNwfilter);
VIRBR_REFERENCE(virNWFilterBinding, kNwfilterBinding);
#undef VIRBR_REFERENCE
template <>
struct Reference<virConnectPtr> {
  static constexpr Kind kind = Kind::kConnection;
};

// A connection: the calls made with it and with its objects, and what has to be undone before it is closed. Closed when
// the last Object of it, and the last call, are gone.
class Link {
 public:
  Link(const Library& library, virConnectPtr connection) : library_(library), connection_(connection) {}
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Runs it in one of the connection's workers. Throws std::system_error.
  void Run(std::function<void()> call) { workers_->Run(std::move(call)); }

  // What deregisters a listener, by a key of the listener's; run before the connection is closed unless removed.
  void AddUndo(std::string key, std::function<void()> undo);
  std::function<void()> RemoveUndo(const std::string& key);

  const Library& library() const { return library_; }
  virConnectPtr connection() const { return connection_; }

  // Below: the JavaScript thread's.
  bool closing = false;
  std::unordered_set<Handle*> handles;

  // Called in a worker once the connection is closed. Set before the last reference is let go.
  std::function<void()> on_freed;

 private:
  // libvirtd handles five requests of a client at a time; more threads would only wait for each other.
  static constexpr int kAtOnce = 8;
  const std::shared_ptr<Workers> workers_ = std::make_shared<Workers>(kAtOnce);
  const Library& library_;
  const virConnectPtr connection_;
  std::mutex mutex_;
  std::map<std::string, std::function<void()>> undo_;
};

class Object {
 public:
  // Takes over one reference. Asks for name and UUID: never more than a look into memory.
  template <class P>
  static std::shared_ptr<Object> Adopt(P pointer, std::shared_ptr<Link> link) {
    return std::make_shared<Object>(Reference<P>::kind, pointer, std::move(link));
  }
  Object(Kind kind, void* pointer, std::shared_ptr<Link> link);
  ~Object();
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  // Objects whose reference is not given back yet, of the process.
  static std::atomic<int> live;

  const Kind kind;
  void* const pointer;
  const std::shared_ptr<Link> link;
  std::string name;
  std::string uuid;
  // Called in a worker once the reference is given back. Set before the last holder lets go. Not for connections.
  std::function<void()> on_freed;
};

}  // namespace virbr::libvirt
