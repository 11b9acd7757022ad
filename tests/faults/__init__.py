"""What apps, clients, labs, kernels and files do wrong, and where it is shown that nothing comes of it.

The index of all faults that are guarded against: each with the tests that fail without the guard, here and elsewhere.
Whatever happens within a test of this folder, nothing is left of it: no thread, process, file, task or patch (see
`nothing_left`). `test_index` holds these lines to the tests that there are.

An app that never starts its response, breaks off, sends the body first, sends twice, or goes on after the end:
    tests/faults/test_apps.py::test_a_fault_is_told_once_as_what_it_is_and_the_lab_goes_on
    tests/transport/test_exchange_faults.py::test_a_silent_app_is_told_what_is_missing
    tests/transport/test_exchange_faults.py::test_an_app_that_returns_without_a_word_is_told_what_is_missing
    tests/transport/test_exchange_faults.py::test_a_message_out_of_order_is_raised_where_it_was_sent_and_in_the_caller
    tests/transport/test_reply.py::test_a_message_is_taken_exactly_if_the_specification_allows_it_there
    tests/transport/test_websocket.py::test_an_app_that_returns_without_accepting_is_told_so

An app that raises before and after the start, KeyboardInterrupt and SystemExit too, in each layer, thread and lifespan:
    tests/faults/test_apps.py::test_a_fault_is_told_once_as_what_it_is_and_the_lab_goes_on
    tests/faults/test_apps.py::test_what_is_raised_when_nobody_waits_any_more_is_logged_once
    tests/faults/test_app_layers.py::test_whatever_layer_raises_the_run_names_it_and_the_lab_goes_on
    tests/faults/test_app_layers.py::test_a_lifespan_that_raises_is_told_with_its_traceback_once
    tests/faults/test_app_layers.py::test_an_app_that_raises_on_its_lifespan_has_none_unless_it_wants_the_end
    tests/clock/test_thread.py::test_sys_exit_in_a_task_does_not_end_the_loop
    tests/clock/test_thread.py::test_an_app_that_stops_the_loop_does_not_end_it

An app that recurses without end, in its handlers, its threads, its layers, and in the texts of its exceptions:
    tests/faults/test_apps.py::test_a_fault_is_told_once_as_what_it_is_and_the_lab_goes_on
    tests/faults/test_app_layers.py::test_whatever_layer_raises_the_run_names_it_and_the_lab_goes_on

An app that ignores cancellation:
    tests/faults/test_workers.py::test_a_task_that_swallows_each_cancellation_is_named_and_the_loop_ends_without_it
    tests/faults/test_workers.py::test_a_handler_that_swallows_each_cancellation_is_told_of_and_others_are_answered
    tests/transport/test_exchange_left.py::test_an_app_that_swallows_every_cancellation_is_reported
    tests/clock/test_virtual_interrupt.py::test_a_task_that_will_not_be_cancelled_does_not_run_on_while_nobody_waits

An app that never ends: spins, waits, polls, in its handlers or its lifespan:
    tests/test_closing.py::test_a_handler_that_spins_is_ended_and_the_app_shut_down
    tests/test_closing.py::test_a_handler_that_blocks_the_loop_is_named_and_not_waited_for
    tests/test_closing.py::test_an_app_whose_shutdown_holds_the_loop_is_not_waited_for
    tests/clock/test_held.py::test_a_step_that_spins_is_ended_where_it_stands
    tests/clock/test_stuck.py::test_a_deadlock_names_each_task_and_each_worker
    tests/clock/test_stuck.py::test_polling_without_sleeping_is_a_runaway
    tests/course/test_check.py::test_code_that_never_ends_is_broken_off_once
    tests/course/test_check.py::test_an_app_that_never_comes_up_is_broken_off_too
    tests/notebooks/test_interrupt.py::test_an_app_that_does_not_start_or_end_can_be_interrupted

An app that floods its loop with tasks (a million: `python -m tests.faults.flood`):
    tests/faults/test_floods.py::test_a_flood_of_tasks_is_interrupted_recorded_and_left_behind
    tests/trace/test_kept.py::test_a_recording_that_goes_on_and_on_does_not_grow
    tests/trace/test_bounded.py::test_a_million_events_are_recorded_built_saved_and_loaded_in_bounded_memory

A worker thread that never ends:
    tests/faults/test_workers.py::test_of_a_worker_that_does_not_end_its_client_is_told_and_others_are_answered
    tests/faults/test_workers.py::test_a_worker_that_waits_for_ever_in_virtual_time_is_a_deadlock_and_the_lab_goes_on
    tests/test_closing.py::test_a_worker_thread_that_goes_on_is_named
    tests/clock/test_stuck.py::test_a_worker_that_really_waited_ends_when_it_returns_and_others_do_its_work
    tests/notebooks/test_interrupt.py::test_a_worker_thread_that_goes_on_is_named

A client that leaves in every phase:
    tests/faults/test_clients.py::test_who_leaves_takes_the_app_along_wherever_it_is
    tests/faults/test_clients.py::test_who_leaves_the_block_of_a_stream_takes_the_app_along
    tests/faults/test_clients.py::test_who_leaves_a_websocket_takes_the_app_along_wherever_it_is
    tests/transport/test_leaks.py::test_some_requests_that_are_left_in_any_phase_leave_nothing
    tests/transport/test_leaks.py::test_wsgi_requests_that_are_left_in_any_phase_leave_nothing
    tests/transport/test_leaks.py::test_websockets_that_are_left_in_any_phase_leave_nothing

A lab closed while it is busy:
    tests/faults/test_labs.py::test_whoever_waits_for_a_lab_that_another_thread_closes_is_told
    tests/faults/test_labs.py::test_a_handler_that_closes_its_own_lab_is_answered_and_its_app_shut_down
    tests/faults/test_labs.py::test_a_signal_handler_may_close_the_lab_that_its_thread_waits_for
    tests/faults/test_labs.py::test_a_lab_that_nobody_holds_but_through_its_client_is_closed_for_who_waits_there
    tests/test_forgotten.py::test_a_lab_found_in_another_ones_virtual_time_is_closed_when_that_run_is_over
    tests/faults/test_labs.py::test_a_process_that_ends_while_its_lab_is_busy_ends_and_shuts_the_app_down

A lab closed twice, and used after closing:
    tests/faults/test_labs.py::test_a_lab_may_be_closed_twice_one_after_the_other_and_at_once
    tests/faults/test_closed.py::test_a_closed_lab_refuses_to_be_used_in_words
    tests/faults/test_closed.py::test_of_a_closed_lab_the_rest_stays

Two labs at once, and a lab inside a lab's handler:
    tests/faults/test_together.py::test_two_labs_on_two_threads_know_nothing_of_each_other
    tests/faults/test_together.py::test_in_real_time_a_handler_may_make_a_lab_and_use_it
    tests/faults/test_together.py::test_in_virtual_time_a_lab_cannot_be_made_and_says_so
    tests/faults/test_together.py::test_in_virtual_time_another_lab_cannot_be_asked_and_says_so
    tests/faults/test_together.py::test_a_handler_may_close_another_lab
    tests/faults/test_together.py::test_no_virtual_time_passes_while_somebody_outside_looks

A fork while a lab is open:
    tests/faults/test_fork.py::test_a_child_that_uses_the_lab_is_told_and_ends
    tests/faults/test_fork.py::test_a_child_has_nothing_that_the_lab_has_borrowed
    tests/faults/test_fork.py::test_a_child_that_was_forked_while_every_lock_was_held_may_make_labs_of_its_own
    tests/faults/test_fork.py::test_processes_that_multiprocessing_forks_do_their_work_and_end
    tests/faults/test_fork.py::test_a_handler_may_fork_in_real_time_and_is_refused_in_virtual_time

An interrupt and a restart of the kernel in every phase:
    tests/notebooks/test_interrupt.py::test_twenty_interrupts_in_a_row_leave_nothing
    tests/notebooks/test_interrupt.py::test_a_stream_that_is_read_halfway_can_be_interrupted
    tests/notebooks/test_interrupt.py::test_a_served_app_can_be_interrupted_idle_and_busy
    tests/clock/test_virtual_interrupt.py::test_what_never_ends_is_interrupted_and_the_lab_goes_on
    tests/notebooks/test_phases.py::test_an_interrupted_cell_ends_and_leaves_nothing
    tests/notebooks/test_phases.py::test_when_its_labs_are_closed_an_interrupted_kernel_is_as_before
    tests/notebooks/test_phases.py::test_a_restart_while_everything_goes_on_leaves_no_process
    tests/models/test_in_kernel.py::test_an_interrupt_leaves_no_process_and_the_next_experiment_runs

A ring that overflows:
    tests/faults/test_overflow.py::test_what_is_left_is_the_end_of_what_happened
    tests/faults/test_overflow.py::test_it_says_what_it_dropped_in_every_text
    tests/faults/test_overflow.py::test_a_diagnosis_without_findings_does_not_speak_for_what_was_dropped
    tests/faults/test_overflow.py::test_every_view_says_it
    tests/faults/test_overflow.py::test_while_it_goes_on_no_look_invents_anything

A disk that is full while a file is written:
    tests/faults/test_disk.py::test_what_was_there_is_whole_when_the_disk_is_full
    tests/faults/test_disk.py::test_a_real_disk_that_is_full_keeps_what_was_on_it
    tests/faults/test_disk.py::test_copies_that_a_full_disk_cut_short_are_whole_or_missing_and_the_next_try_ends_them
    tests/faults/test_disk.py::test_the_demo_says_that_its_page_could_not_be_written
    tests/faults/test_interrupted_file.py::test_an_interrupt_at_any_line_leaves_the_old_file_or_the_new_one_and_no_other

A saved trace that is corrupt, truncated or hostile:
    tests/faults/test_saved.py::test_a_header_that_is_made_to_harm_is_refused_in_words
    tests/faults/test_saved.py::test_nothing_of_a_file_is_ever_run
    tests/faults/test_saved.py::test_a_file_of_another_format_is_refused_by_how_it_begins
    tests/faults/test_saved.py::test_a_recording_that_cannot_have_happened_is_refused
    tests/faults/test_saved.py::test_whatever_loads_can_be_shown_in_every_view
    tests/trace/test_store.py::test_a_flipped_bit_is_refused_or_changes_nothing
    tests/trace/test_store.py::test_a_shortened_recording_is_refused
    tests/trace/test_store.py::test_a_zip_bomb_takes_no_memory

A widget that is closed while it is fed:
    tests/faults/test_comms.py::test_closing_waits_for_what_is_being_told
    tests/faults/test_comms.py::test_one_that_is_closed_is_told_nothing_more_and_says_nothing
    tests/faults/test_comms.py::test_when_the_page_closes_its_side_nothing_is_sent_there_any_more
    tests/faults/test_comms.py::test_a_lab_goes_on_when_its_live_timeline_is_closed_from_within_a_run

Messages on a comm that are not ours:
    tests/faults/test_comms.py::test_what_is_not_ours_is_not_answered_and_ours_is_answered_as_before
    tests/faults/test_comms.py::test_no_message_makes_a_live_timeline_or_a_timeline_raise
    tests/faults/test_comms.py::test_pictures_that_somebody_invents_are_not_all_kept
    tests/faults/test_comms.py::test_a_kernel_that_is_sent_what_is_not_ours_says_nothing_and_goes_on

Names, paths, headers, reprs and texts with markup, control characters, lone surrogates, and of 10 MB:
    tests/faults/test_texts.py::test_all_that_a_recording_keeps_of_ten_megabytes_is_its_beginning_and_an_ellipsis
    tests/faults/test_texts.py::test_every_view_and_what_stands_for_it_stay_small
    tests/faults/test_texts.py::test_what_goes_to_a_terminal_is_as_long_as_it_was_and_harmless
    tests/faults/test_texts.py::test_a_command_that_is_given_a_hostile_name_says_it_harmlessly
    tests/faults/test_texts.py::test_an_exception_whose_text_cannot_be_had_reaches_its_caller_and_is_said_so
    tests/faults/test_texts.py::test_a_dashboard_outlives_an_exception_whose_text_cannot_be_had
    tests/faults/test_texts.py::test_a_status_of_any_kind_can_be_recorded_and_shown
    tests/widgets/test_hostile.py::test_a_view_shows_it_as_text
    tests/views/test_text.py::test_names_from_the_app_cannot_break_lines_or_steer_the_terminal
"""
