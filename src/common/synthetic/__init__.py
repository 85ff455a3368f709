"""Demo people: invented faces with known gaze, head pose and eye landmarks.

A person: `people.head.make_identity`. A photo: `rendering.renderer.render_face`, or
`rendering.portraits.render_portrait` with pose and gaze at random. Several people on one canvas,
for scenes: `rendering.renderer.draw_face`, then `photo.develop`. Raw data sets:
`columbia.writer.write_columbia` (photos), `ego4d.writer.write_ego4d` (clips) and
`gaze360.writer.write_gaze360` (faces).
"""
