// Shared memory of a map, seen from JavaScript as an ArrayBuffer that is detached when the map's handle or the object is
// closed.
#pragma once

#include <node_api.h>

#include "../core/map.h"
#include "../core/object.h"

namespace bpfl {

class Mapping final : public Closable {
public:
	static Failure open(napi_env env, const MapShape& shape, std::shared_ptr<Mapping>* out);
	~Mapping() override;
	napi_value array_buffer() const;
	bool closed() const override { return reference_ == nullptr; }
	void close() override;

private:
	napi_env env_ = nullptr;
	napi_ref reference_ = nullptr;
};

}  // namespace bpfl
