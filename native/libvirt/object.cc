#include "object.h"

#include "workers.h"

namespace virbr::libvirt {

namespace {

constexpr size_t kUuidSize = 37;

template <class P, class F>
std::string Uuid(F function, void* pointer) {
  char text[kUuidSize] = "";
  if (function != nullptr) function(static_cast<P>(pointer), text);
  return text;
}

template <class P, class F>
std::string Name(F function, void* pointer) {
  const char* name = function == nullptr ? nullptr : function(static_cast<P>(pointer));
  return name == nullptr ? "" : name;
}

void GiveBack(const Library& library, Kind kind, void* pointer) {
  switch (kind) {
    case Kind::kConnection:
      return;
    case Kind::kDomain:
      library.virDomainFree(static_cast<virDomainPtr>(pointer));
      return;
    case Kind::kNetwork:
      library.virNetworkFree(static_cast<virNetworkPtr>(pointer));
      return;
    case Kind::kNetworkPort:
      library.virNetworkPortFree(static_cast<virNetworkPortPtr>(pointer));
      return;
    case Kind::kInterface:
      library.virInterfaceFree(static_cast<virInterfacePtr>(pointer));
      return;
    case Kind::kNwfilter:
      library.virNWFilterFree(static_cast<virNWFilterPtr>(pointer));
      return;
    case Kind::kNwfilterBinding:
      library.virNWFilterBindingFree(static_cast<virNWFilterBindingPtr>(pointer));
      return;
  }
}

}  // namespace

std::atomic<int> Object::live{0};

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kConnection:
      return "connection";
    case Kind::kDomain:
      return "domain";
    case Kind::kNetwork:
      return "network";
    case Kind::kNetworkPort:
      return "networkPort";
    case Kind::kInterface:
      return "interface";
    case Kind::kNwfilter:
      return "nwfilter";
    case Kind::kNwfilterBinding:
      return "nwfilterBinding";
  }
  return "";
}

Link::~Link() {
  workers_->Retire();
  const std::function<void()> close = [&library = library_, connection = connection_, undo = std::move(undo_),
                                       freed = std::move(on_freed)] {
    for (const auto& [key, act] : undo) act();
    library.virConnectClose(connection);
    Object::live--;
    if (freed) freed();
  };
  try {
    Workers::OfProcess().Run(close);
  } catch (const std::exception&) {
    close();  // where no thread can be started, the wait is here
  }
}

void Link::AddUndo(std::string key, std::function<void()> undo) {
  const std::lock_guard<std::mutex> lock(mutex_);
  undo_[std::move(key)] = std::move(undo);
}

std::function<void()> Link::RemoveUndo(const std::string& key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = undo_.find(key);
  if (found == undo_.end()) return nullptr;
  std::function<void()> undo = std::move(found->second);
  undo_.erase(found);
  return undo;
}

Object::Object(Kind kind_of, void* to, std::shared_ptr<Link> of) : kind(kind_of), pointer(to), link(std::move(of)) {
  live++;
  const Library& library = link->library();
  switch (kind) {
    case Kind::kConnection:
      break;
    case Kind::kDomain:
      name = Name<virDomainPtr>(library.virDomainGetName, pointer);
      uuid = Uuid<virDomainPtr>(library.virDomainGetUUIDString, pointer);
      break;
    case Kind::kNetwork:
      name = Name<virNetworkPtr>(library.virNetworkGetName, pointer);
      uuid = Uuid<virNetworkPtr>(library.virNetworkGetUUIDString, pointer);
      break;
    case Kind::kNetworkPort:
      uuid = Uuid<virNetworkPortPtr>(library.virNetworkPortGetUUIDString, pointer);
      break;
    case Kind::kInterface:
      name = Name<virInterfacePtr>(library.virInterfaceGetName, pointer);
      break;
    case Kind::kNwfilter:
      name = Name<virNWFilterPtr>(library.virNWFilterGetName, pointer);
      uuid = Uuid<virNWFilterPtr>(library.virNWFilterGetUUIDString, pointer);
      break;
    case Kind::kNwfilterBinding:
      name = Name<virNWFilterBindingPtr>(library.virNWFilterBindingGetPortDev, pointer);
      break;
  }
}

Object::~Object() {
  // A connection is the Link's to close.
  if (kind == Kind::kConnection) return;
  // As one of the connection's calls: thousands may be collected at once.
  // It holds the Link, so that the connection is closed after all that came from it.
  const std::function<void()> give_back = [of = link, what = kind, to = pointer, freed = std::move(on_freed)] {
    GiveBack(of->library(), what, to);
    live--;
    if (freed) freed();
  };
  try {
    link->Run(give_back);
  } catch (const std::exception&) {
    give_back();
  }
}

}  // namespace virbr::libvirt
