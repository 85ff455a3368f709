"""Demo people: invented faces with known gaze, head pose and eye landmarks.

A person: `head.make_identity`. A photo: `renderer.render_face`, or `portraits.render_portrait`
with pose and gaze at random. Several people on one canvas, for scenes: `renderer.draw_face`, then
`photo.develop`. Raw data sets: `columbia.write_columbia` (photos) and `ego4d.write_ego4d` (clips).
"""
