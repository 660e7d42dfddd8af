// Indices of links by name, without netlink.
#pragma once

#include <string>
#include <vector>

#include "fd.h"
#include "framing.h"

namespace virbr {

// Appends a 32-bit number for each name, 0 where no link has it. The kernel looks them up without RTNL, which whoever asks
// by RTM_GETLINK waits for, link after link, while others work. Names are shorter than IFNAMSIZ. Of one that no link has
// the kernel may look for a module (dev_load): ask for what should be there.
Failure LinkIndices(const std::vector<std::string>& names, Bytes* indices);

}  // namespace virbr
