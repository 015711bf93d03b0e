// What the JavaScript handles hold.
#pragma once

#include <memory>
#include <string>

#include "../core/link.h"
#include "../core/map.h"
#include "../core/object.h"
#include "../core/ring.h"
#include "guards.h"

namespace bpfl {

struct ObjectHandle {
	std::shared_ptr<Object> object;
};

struct ProgramHandle {
	std::shared_ptr<Object> object;
	bpf_program* program;  // valid while the object is not closed
	std::string name;
};

class RingHandle;
class Mapping;

struct MapHandle {
	std::shared_ptr<Object> object;
	bpf_map* map;  // valid while the object is not closed
	std::string name;
	MapShape shape;  // fd -1 until the object is loaded
	std::shared_ptr<RingHandle> ring;
	std::shared_ptr<Mapping> mapping;
};

// A duplicate of the map's descriptor for a task: the map's object may be closed, and the number used again, while it runs.
std::shared_ptr<const int> share_fd(const MapHandle& map);

struct LinkHandle {
	std::shared_ptr<Link> link;
	std::shared_ptr<Object> object;  // a USDT link needs it until it is closed
};

struct RingHolder {
	std::shared_ptr<RingHandle> ring;
};

struct StatsHandle {
	int fd;
	~StatsHandle();
};

// Random numbers, one a kind.
template <> struct Tag<ObjectHandle> { static constexpr napi_type_tag value = {0x1d0a53c56f2b4e01, 0x9b7aa4f0c35d2e11}; };
template <> struct Tag<ProgramHandle> { static constexpr napi_type_tag value = {0x1d0a53c56f2b4e02, 0x9b7aa4f0c35d2e12}; };
template <> struct Tag<MapHandle> { static constexpr napi_type_tag value = {0x1d0a53c56f2b4e03, 0x9b7aa4f0c35d2e13}; };
template <> struct Tag<LinkHandle> { static constexpr napi_type_tag value = {0x1d0a53c56f2b4e04, 0x9b7aa4f0c35d2e14}; };
template <> struct Tag<RingHolder> { static constexpr napi_type_tag value = {0x1d0a53c56f2b4e05, 0x9b7aa4f0c35d2e15}; };
template <> struct Tag<StatsHandle> { static constexpr napi_type_tag value = {0x1d0a53c56f2b4e06, 0x9b7aa4f0c35d2e16}; };

// Each file registers its methods.
void define(napi_env env, napi_value exports, const char* name, napi_callback method);
void define_object(napi_env env, napi_value exports);
void define_program(napi_env env, napi_value exports);
void define_link(napi_env env, napi_value exports);
void define_map(napi_env env, napi_value exports);
void define_ring(napi_env env, napi_value exports);
void define_system(napi_env env, napi_value exports);
void define_clock(napi_env env, napi_value exports);
void define_heap(napi_env env, napi_value exports);

// Fills the shape on first use after load.
Failure ensure_shape(MapHandle* map);

}  // namespace bpfl
